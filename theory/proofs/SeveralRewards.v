(* Several known reward functions over the same transitions: one table of q-star for each. When do value functions become a model? *)

Require Import Reals Lra List.
From Mbgen Require Import Finite Bellman Datasets Deterministic.
Import ListNotations.
Open Scope R_scope.

Section SeveralRewards.
Context {St Ac I : Type} `{Finite St} `{Finite Ac} (r : I -> St -> Ac -> R) (g : R) (g01 : 0 < g < 1).
Notation transitions := (model St Ac (option St)).
Implicit Types (q : I -> table St Ac) (T : transitions) (M : transitions -> Prop) (D : dataset St Ac (option St)).

Definition all_qstar T q : Prop := forall i, qstar (r i) g T (q i).
Definition HM_several M D q : Prop := exists T, M T /\ extends T D /\ all_qstar T q.
Definition HB_several M D q : Prop :=
  (exists T, M T /\ all_qstar T q) /\ forall i s a x, In (s, a, x) D -> bellman_at (r i) g (q i) s a x.

(* Part 1 with several rewards. *)
Theorem several_rewards_part1 M D q : HM_several M D q -> HB_several M D q.
Proof.
  intros [T [HT [X Q]]]. split; [exists T; auto|]. intros i s a x Hx. rewrite <- (X s a x Hx).
  apply (qstar_bellman (r i) g g01 T), Q.
Qed.

(* Where the values tell all successors apart, they are a model: any class and any dataset leave the same to both. *)
Theorem values_that_tell_apart_are_a_model M D q : (forall x y, (forall i, V (q i) x = V (q i) y) -> x = y) ->
  HM_several M D q <-> HB_several M D q.
Proof.
  intros Tell. split; [apply several_rewards_part1|]. intros [[T [HT Q]] B]. exists T. split; [exact HT|split; [|exact Q]].
  intros s a x Hx. apply Tell. intros i. specialize (B i s a x Hx).
  pose proof (proj1 (qstar_bellman (r i) g g01 T (q i)) (Q i) s a) as B'. unfold bellman_at in *. apply (Rmult_eq_reg_l g); lra.
Qed.

End SeveralRewards.

(* ---- goals ---- *)

Section Goals.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (g : R) (g01 : 0 < g < 1).
Implicit Types (q : table St Ac) (T : model St Ac (option St)).

(* A goal for each state: 1 for the default action there, 0 elsewhere. *)
Definition goal (x s : St) (a : Ac) : R := if same s x then if same a default then 1 else 0 else 0.

Lemma goal_range x s a : 0 <= goal x s a <= 1.
Proof. unfold goal. destruct (same s x), (same a default); lra. Qed.

Section OneGoal.
Variables (x : St) (T : model St Ac (option St)) (q : table St Ac).
Hypothesis Q : qstar (goal x) g T q.
Let B := proj1 (qstar_bellman (goal x) g g01 T q) Q.

Lemma goal_values_nonnegative y : 0 <= V q y.
Proof.
  pose (low := best (fun s => - V q (Some s))).
  assert (L : forall s, V q (Some low) <= V q (Some s)).
  { intros s. pose proof (maximum_ge (fun s => - V q (Some s)) s) as F. rewrite maximum_best in F. fold low in F. simpl in *. lra. }
  assert (N : 0 <= V q (Some low)).
  { destruct (Rle_dec 0 (V q (Some low))) as [|N]; [assumption|exfalso].
    pose proof (V_ge q low default) as F. pose proof (B low default) as E. unfold bellman_at in E.
    pose proof (goal_range x low default).
    assert (G : V q (Some low) <= V q (T low default)) by (destruct (T low default) as [s|]; [apply L|simpl V at 2; lra]).
    nra. }
  destruct y as [s|]; [|apply Rle_refl]. eapply Rle_trans; [exact N|apply L].
Qed.

Lemma goal_reached : 1 <= V q (Some x).
Proof.
  pose proof (V_ge q x default) as F. pose proof (B x default) as E. unfold bellman_at, goal in E.
  destruct (same x x); [|congruence]. destruct (same default default); [|congruence].
  pose proof (goal_values_nonnegative (T x default)). nra.
Qed.

(* The state of the goal is worth more than any other. *)
Lemma goal_is_best y : y <> Some x -> V q y < V q (Some x).
Proof.
  pose (top := best (fun s => V q (Some s))).
  assert (L : forall s, V q (Some s) <= V q (Some top)).
  { intros s. pose proof (maximum_ge (fun s => V q (Some s)) s) as F. rewrite maximum_best in F. exact F. }
  pose proof goal_reached as R1. pose proof (L x) as Lx.
  assert (far : forall s, s <> x -> V q (Some s) <= g * V q (Some top)).
  { intros s N. rewrite V_greedy, (B s (greedy q s)). unfold goal. destruct (same s x); [contradiction|]. rewrite Rplus_0_l.
    apply Rmult_le_compat_l; [lra|]. destruct (T s (greedy q s)) as [z|]; [apply L|simpl V at 1; lra]. }
  assert (E : top = x). { destruct (same top x) as [|N]; [assumption|]. pose proof (far top N). nra. }
  intros N. destruct y as [s|]; [|simpl V at 1; lra]. assert (s <> x) by congruence.
  pose proof (far s ltac:(assumption)). rewrite E in *. nra.
Qed.

End OneGoal.

(* With a goal for each state value functions are a model: for any class and any dataset, the Bellman equations of all goals leave exactly
   what the models leave. *)
Theorem goals_are_a_model (M : model St Ac (option St) -> Prop) D (q : St -> table St Ac) :
  HM_several goal g M D q <-> HB_several goal g M D q.
Proof.
  split; [apply (several_rewards_part1 goal g g01)|]. intros C. pose proof C as [[T [_ Q]] _]. revert C.
  apply (values_that_tell_apart_are_a_model goal g g01).
  assert (Up : forall x y, (forall i, V (q i) (Some x) = V (q i) y) -> y = Some x).
  { intros x y E. destruct (same y (Some x)) as [|N]; [assumption|]. pose proof (goal_is_best x T (q x) (Q x) y N). rewrite (E x) in *. lra. }
  intros [x|] y E; [symmetry; apply Up, E|]. destruct y as [y|]; [|reflexivity]. apply Up. intros i. symmetry. apply E.
Qed.

End Goals.
