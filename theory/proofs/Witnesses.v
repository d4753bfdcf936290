(* Theorem 1, part 2: the smallest witnesses, for every discount, and what breaks part 3 where it is not functional. *)

Require Import Reals Lra List.
From Mbgen Require Import Finite Bellman Datasets Deterministic.
Import ListNotations.
Open Scope R_scope.

(* H_M(D) is a proper subset of H_B(D). *)
Definition proper_inclusion {St Ac} `{Finite St} `{Finite Ac} (r : St -> Ac -> R) g M D : Prop :=
  (forall q, H_M r g M D q -> H_B r g M D q) /\ exists q, H_B r g M D q /\ ~ H_M r g M D q.

Definition optimal_action {St Ac} (q : table St Ac) s a : Prop := forall b, q s b <= q s a.

(* H_M(D) settles on the optimal action a in s, and H_B(D) on none. *)
Definition settled {St Ac} `{Finite St} `{Finite Ac} (r : St -> Ac -> R) g M D s a : Prop :=
  (forall q, H_M r g M D q -> optimal_action q s a) /\ ~ exists b, forall q, H_B r g M D q -> optimal_action q s b.

(* ---- two states, one action, two models, one transition ---- *)

(* The states are false and true, and every step costs 1. *)
Definition cost {Ac} : bool -> Ac -> R := fun _ _ => -1.
Definition T0 : model bool unit (option bool) := fun s _ => if s then None else Some false.
Definition T1 : model bool unit (option bool) := fun s _ => Some (negb s).
Definition two_models T : Prop := T = T0 \/ T = T1.
Definition one_transition : dataset bool unit (option bool) := [(false, tt, Some false)].

Section Witness.
Variables (g : R) (g01 : 0 < g < 1).

Definition forever : table bool unit := fun _ _ => -1 / (1 - g).

Lemma forever_solves s x : bellman_at cost g forever s tt (Some x).
Proof.
  unfold bellman_at, cost. simpl. rewrite (maximum_is _ (-1 / (1 - g)) tt) by (intros; unfold forever; lra).
  unfold forever. field. lra.
Qed.

(* Theorem 1, part 2: for every discount, two models and one transition make the inclusion proper. *)
Theorem theorem1_part2 :
  realizable_data two_models one_transition /\ functional one_transition /\ proper_inclusion cost g two_models one_transition.
Proof.
  split; [|split; [|split]].
  - exists T0. split; [left; reflexivity|]. intros s a x [E|[]]. injection E as <- <- <-. reflexivity.
  - intros s a x y [E|[]] [F|[]]. congruence.
  - intros q. apply (theorem1_part1 cost g g01).
  - exists forever. split; [split|].
    + exists T1. split; [right; reflexivity|]. apply (qstar_bellman cost g g01). intros s []. apply forever_solves.
    + intros s a x [E|[]]. injection E as <- <- <-. apply forever_solves.
    + intros [T [HT [HD Hq]]]. specialize (HD false tt (Some false) (or_introl eq_refl)).
      destruct HT as [-> | ->]; [|discriminate]. pose proof (proj1 (qstar_bellman cost g g01 T0 forever) Hq true tt) as B.
      unfold bellman_at, forever, cost in B. simpl in B.
      assert (F : -1 / (1 - g) * (1 - g) = -1) by (field; lra). rewrite B in F. lra.
Qed.

End Witness.

(* ---- none is smaller ---- *)

Section Smallest.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (r : St -> Ac -> R) (g : R) (g01 : 0 < g < 1).
Implicit Types (M : model St Ac (option St) -> Prop) (D : dataset St Ac (option St)).

Lemma successors_differ (x y : option St) : (forall f, f None = 0 -> mean f [(1, x)] = mean f [(1, y)]) -> x = y.
Proof.
  set (at_ (x : St) y := match y with Some s => if same s x then 1 else 0 | None => 0 end).
  assert (A : forall x, at_ x (Some x) = 1) by (intros z; simpl; destruct (same z z); congruence).
  assert (A' : forall x y, at_ x y = 1 -> y = Some x)
    by (intros z [s|]; simpl; [destruct (same s z); [congruence|lra]|lra]).
  assert (A0 : forall x, at_ x None = 0) by reflexivity. clearbody at_.
  intros E. destruct x as [x|], y as [y|]; try reflexivity; [symmetry; apply A'; specialize (E (at_ x) (A0 x))|
    specialize (E (at_ x) (A0 x))|specialize (E (at_ y) (A0 y))]; simpl in E; rewrite ?A, ?A0 in E; lra.
Qed.

Lemma one_state M D q : (forall s : St, s = default) -> realizable_data M D -> H_B r g M D q -> H_M r g M D q.
Proof.
  intros One real B. apply (H_M_paper r g g01). apply (H_B_paper r g g01) in B.
  apply (one_state_is_not_enough (paper r g g01) r); auto. intros x y. apply successors_differ.
Qed.

(* No witness is smaller, by states, actions, models and transitions in this order: every realizable one has two states, two models and a
   transition. *)
Theorem no_smaller_witness M D : realizable_data M D -> proper_inclusion r g M D ->
  (exists s s' : St, s <> s') /\ (exists T T', M T /\ M T' /\ T <> T') /\ D <> [].
Proof.
  intros real [_ [q [B N]]]. split.
  - destruct (one_or_two (X := St)) as [One|Two]; [|exact Two]. destruct N. apply one_state; assumption.
  - apply (H_B_paper r g g01) in B. rewrite (H_M_paper r g g01) in N.
    apply (two_models_and_a_transition (paper r g g01) M D q real B N).
Qed.

(* No witness that decides is smaller: it has two states, two actions, models that differ, and a transition. *)
Theorem no_smaller_decision M D s a : realizable_data M D -> settled r g M D s a ->
  (exists s s' : St, s <> s') /\ (exists a a' : Ac, a <> a') /\ ~ (forall T T', M T -> M T' -> T = T') /\ D <> [].
Proof.
  intros real [A N]. assert (N' : ~ forall q, H_B r g M D q -> H_M r g M D q) by (intros I; apply N; exists a; auto).
  split; [|split; [|split]].
  - destruct (one_or_two (X := St)) as [One|Two]; [|exact Two]. destruct N'. intros q B. apply one_state; assumption.
  - destruct (one_or_two (X := Ac)) as [One|Two]; [|exact Two]. destruct N. exists a. intros q _ b.
    rewrite (One a), (One b). apply Rle_refl.
  - intros One. apply N'. intros q [[T' [MT' Q]] _]. destruct real as [T [MT X]]. exists T'. rewrite (One T' T MT' MT) in *. auto.
  - intros ->. apply N'. intros q [[T' [MT' Q]] _]. exists T'. split; [exact MT'|split; [intros ? ? ? []|exact Q]].
Qed.

End Smallest.

(* ---- a witness that decides: two states, two actions, two models, one transition ---- *)

Definition U0 : model bool bool (option bool) := fun s a => if s then (if a then None else Some false) else Some false.
Definition U1 : model bool bool (option bool) := fun s a =>
  if s then (if a then Some false else None) else (if a then None else Some true).
Definition two_deciding_models T : Prop := T = U0 \/ T = U1.
Definition one_deciding_transition : dataset bool bool (option bool) := [(false, false, Some false)].

Section Decision.
Variables (g : R) (g01 : 0 < g < 1).
Let HM' := H_M cost g two_deciding_models one_deciding_transition.
Let HB' := H_B cost g two_deciding_models one_deciding_transition.
Definition q0 : table bool bool := fun s a => if andb s a then -1 else -1 / (1 - g).
Definition q1 : table bool bool := fun s a => if Bool.eqb s a then -1 - g else -1.

Lemma forever_is_long : -1 / (1 - g) < -1.
Proof.
  apply Rmult_lt_reg_r with (1 - g); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

Lemma V_q0 : V q0 (Some false) = -1 / (1 - g).
Proof. pose proof forever_is_long. apply (maximum_is _ _ false); [intros []|]; unfold q0; simpl; lra. Qed.

Lemma V_q1 s : V q1 (Some s) = -1.
Proof. apply (maximum_is _ _ (negb s)); [intros []|]; destruct s; unfold q1; simpl; lra. Qed.

Lemma q0_solves : qstar cost g U0 q0.
Proof.
  apply (qstar_bellman cost g g01). intros [] []; unfold bellman_at, U0, cost; rewrite ?V_q0; unfold q0; simpl; try (field; lra); lra.
Qed.

Lemma q1_solves : qstar cost g U1 q1.
Proof.
  apply (qstar_bellman cost g g01). intros [] []; unfold bellman_at, U1, cost; rewrite ?V_q1; unfold q1; simpl; lra.
Qed.

(* A transition that decides: H_M(D) settles the optimal action of a state, and H_B(D) leaves it open. *)
Theorem decision_witness :
  realizable_data two_deciding_models one_deciding_transition /\ settled cost g two_deciding_models one_deciding_transition true true.
Proof.
  pose proof forever_is_long as L.
  assert (X0 : extends U0 one_deciding_transition) by (intros s a x [E|[]]; injection E as <- <- <-; reflexivity).
  assert (M0 : HM' q0) by (exists U0; split; [left; reflexivity|split; [exact X0|apply q0_solves]]).
  split; [exists U0; split; [left; reflexivity|exact X0]|]. split.
  - intros q [T [HT [HD Hq]]]. specialize (HD false false (Some false) (or_introl eq_refl)).
    destruct HT as [-> | ->]; [|discriminate].
    rewrite (qstar_unique cost g g01 U0 q q0 Hq q0_solves). intros []; unfold q0; simpl; lra.
  - intros [a A].
    assert (B0 := A q0 (theorem1_part1 cost g g01 _ _ _ M0)).
    assert (B1 : HB' q1).
    { split; [exists U1; split; [right; reflexivity|apply q1_solves]|].
      intros s b x [E|[]]. injection E as <- <- <-. unfold bellman_at, cost.
      rewrite V_q1. unfold q1; simpl; lra. }
    specialize (A q1 B1). destruct a.
    + specialize (A false). unfold q1 in A; simpl in A. lra.
    + specialize (B0 true). unfold q0 in B0; simpl in B0. lra.
Qed.

End Decision.

(* ---- a dataset that is not functional ---- *)

(* Part 3 needs functional datasets: with one state, one action and no reward, two successors of one pair leave no model, and one q. *)
Theorem part3_needs_functional g : 0 < g < 1 ->
  proper_inclusion (fun _ _ : unit => 0) g every_map [(tt, tt, Some tt); (tt, tt, None)].
Proof.
  intros g01. set (r := fun _ _ : unit => 0).
  split; [intros q; apply (theorem1_part1 r g g01)|]. exists r.
  assert (Z : forall s a x, bellman_at r g r s a x).
  { intros s a [y|]; unfold bellman_at; simpl; [rewrite (maximum_is _ 0 tt) by (intros; unfold r; lra)|]; unfold r; lra. }
  split; [split|].
  - exists (fun _ _ => None). split; [exact I|]. apply (qstar_bellman r g g01). intros s a. apply Z.
  - intros s a x _. apply Z.
  - intros [T [_ [HD _]]].
    pose proof (HD tt tt _ (or_introl eq_refl)). pose proof (HD tt tt _ (or_intror (or_introl eq_refl))). congruence.
Qed.
