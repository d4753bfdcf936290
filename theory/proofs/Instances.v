(* What else the general statement covers: rewards that are not known, laws in place of successors, samples. *)

Require Import Reals Lra List.
From Mbgen Require Import Finite Bellman Returns VersionSpaces Datasets Deterministic.
Import ListNotations.
Open Scope R_scope.

(* ---- unknown rewards: an option is a reward and a successor ---- *)

Section UnknownRewards.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (g : R) (g01 : 0 < g < 1).
Implicit Types (q : table St Ac) (D : dataset St Ac (R * option St)).

Definition unknown_rewards : problem St Ac (R * option St) :=
  {| reward := fun _ _ o => fst o; next := fun o => [(1, snd o)]; discount := g; next_law := fun o => sure_law (snd o);
     discount_range := g01 |}.

Lemma backup_unknown q s a o : backup unknown_rewards q s a o = fst o + g * V q (snd o).
Proof. unfold backup. simpl. ring. Qed.

(* A model's q-star is that of its successors under its rewards. *)
Lemma optimal_unknown T q : optimal unknown_rewards T q <-> qstar (fun s a => fst (T s a)) g (fun s a => snd (T s a)) q.
Proof.
  rewrite optimal_bellman, (qstar_bellman _ g g01). unfold bellman, bellman_at.
  split; intros B s a; specialize (B s a); rewrite backup_unknown in *; exact B.
Qed.

(* Rewards and successors that can be. A dataset tells both. *)
Variable possible : evidence St Ac (R * option St).
Definition candidate (rho : St -> Ac -> R) (T : model St Ac (option St)) : Prop := forall s a, possible s a (rho s a, T s a).

(* Part 3 for unknown rewards: for all rewards and successors that are possible, and every functional dataset of transitions with their
   rewards, what is q-star of some candidate that agrees with D is what is q-star of some candidate and meets the Bellman equation at D. *)
Theorem unknown_rewards_part3 D q : functional D -> possible_data possible D ->
  (exists rho T, candidate rho T /\ (forall s a v x, In (s, a, (v, x)) D -> rho s a = v /\ T s a = x) /\ qstar rho g T q) <->
  (exists rho T, candidate rho T /\ qstar rho g T q) /\ (forall s a v x, In (s, a, (v, x)) D -> q s a = v + g * V q x).
Proof.
  intros F W. pose proof (part3_data unknown_rewards possible D q F W) as E. split.
  - intros [rho [T [C [A Q]]]]. split; [exists rho, T; auto|]. intros s a v x I. destruct (A s a v x I) as [<- <-].
    apply (qstar_bellman rho g g01 T q), Q.
  - intros [[rho [T [C Q]]] B]. destruct (proj2 E) as [U [CU [A QU]]].
    + split; [exists (fun s a => (rho s a, T s a)); split; [exact C|apply optimal_unknown, Q]|].
      intros s a [v x] I. rewrite backup_unknown. apply B, I.
    + exists (fun s a => fst (U s a)), (fun s a => snd (U s a)). split; [|split].
      * intros s a. rewrite <- surjective_pairing. apply CU.
      * intros s a v x I. rewrite (A s a (v, x) I). auto.
      * apply optimal_unknown, QU.
Qed.

End UnknownRewards.

(* Part 2 for unknown rewards takes one state alone: two actions, two models, one transition. With one pair there is no witness
   (one_pair_is_not_enough), so that this one is smallest by states, actions, models and transitions in this order. *)
Theorem unknown_rewards_witness g (g01 : 0 < g < 1) :
  let R0 : model unit bool (R * option unit) := fun _ a => if a then (2, None) else (0, Some tt) in
  let R1 : model unit bool (R * option unit) := fun _ a => if a then (1, None) else (g, None) in
  let M T := T = R0 \/ T = R1 in
  let D := [(tt, false, (0, Some tt))] in
  realizable_data M D /\ functional D /\ proper (unknown_rewards g g01) M D.
Proof.
  intros R0 R1 M D. set (P := unknown_rewards g g01). set (q (_ : unit) (a : bool) := if a then 1 else g).
  assert (Vq : V q (Some tt) = 1) by (apply (maximum_is _ _ true); [intros []|]; unfold q; lra).
  split; [|split; [|split]].
  - exists R0. split; [left; reflexivity|]. intros s a o [E|[]]. injection E as <- <- <-. reflexivity.
  - intros s a o o' [E|[]] [F|[]]. congruence.
  - intros q'. apply part1_data.
  - exists q. split; [split|].
    + exists R1. split; [right; reflexivity|]. apply optimal_bellman. intros s a. unfold P. rewrite backup_unknown.
      destruct a; unfold q, R1; simpl; lra.
    + intros s a o [E|[]]. injection E as <- <- <-. unfold P. rewrite backup_unknown. simpl fst. simpl snd. rewrite Vq. unfold q. lra.
    + intros [T [[-> | ->] [X Q]]].
      * apply optimal_bellman in Q. specialize (Q tt true). unfold P in Q. rewrite backup_unknown in Q. unfold q, R0 in Q. simpl in Q. lra.
      * specialize (X tt false _ (or_introl eq_refl)). discriminate.
Qed.

(* ---- stochastic transitions: an option is a law, with known rewards or with a reward of its own ---- *)

Section Stochastic.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (g : R) (g01 : 0 < g < 1).
Definition any_law := {l : law St | is_law l}.
Implicit Types (q : table St Ac).

Definition stochastic (r : St -> Ac -> R) : problem St Ac any_law :=
  {| reward := fun s a _ => r s a; next := fun l => proj1_sig l; discount := g; next_law := fun l => proj2_sig l;
     discount_range := g01 |}.
Definition all_unknown : problem St Ac (R * any_law) :=
  {| reward := fun _ _ o => fst o; next := fun o => proj1_sig (snd o); discount := g; next_law := fun o => proj2_sig (snd o);
     discount_range := g01 |}.

(* Part 3 for stochastic transitions with known rewards: all laws, or all that are possible, and any evidence about them. *)
Theorem stochastic_part3 r possible E q : within possible E ->
  HM (stochastic r) (every_possible_model possible) E q <-> HB (stochastic r) (every_possible_model possible) E q.
Proof. apply part3. Qed.

(* Part 3 where nothing is known: laws and rewards. *)
Theorem all_unknown_part3 possible E q : within possible E ->
  HM all_unknown (every_possible_model possible) E q <-> HB all_unknown (every_possible_model possible) E q.
Proof. apply part3. Qed.

(* The law leads to x with a probability above 0. *)
Definition can_lead_to (l : any_law) (x : option St) : Prop :=
  (exists w, In (w, x) (proj1_sig l) /\ 0 < w) \/ (x = None /\ mass (proj1_sig l) < 1).

(* Sampled transitions leave the laws under which they can happen. Several successors of one pair contradict nothing here. *)
Definition possible_after (samples : dataset St Ac (option St)) : evidence St Ac any_law :=
  fun s a l => forall x, In (s, a, x) samples -> can_lead_to l x.

(* Part 3 for samples of stochastic transitions: for the class of all laws, both leave the same. *)
Theorem samples_part3 r samples q :
  HM (stochastic r) (every_possible_model (fun _ _ _ => True)) (possible_after samples) q <->
  HB (stochastic r) (every_possible_model (fun _ _ _ => True)) (possible_after samples) q.
Proof. apply part3. intros s a l _. exact I. Qed.

End Stochastic.

(* ---- part 2 where nothing is deterministic ---- *)

(* Three laws over two states and the end; none is sure of anything. *)
Inductive coin := FalseOrEnd | TrueOrEnd | FalseOrLikelyEnd.
Definition toss (c : coin) : law bool :=
  match c with
  | FalseOrEnd => [(1/2, Some false); (1/2, None)]
  | TrueOrEnd => [(1/2, Some true); (1/2, None)]
  | FalseOrLikelyEnd => [(1/4, Some false); (3/4, None)]
  end.

Lemma toss_law c : is_law (toss c).
Proof. destruct c; (split; [intros w x [E|[E|[]]]; injection E as <- <-; lra|simpl; lra]). Qed.

(* Every step costs 1. *)
Definition coins g (g01 : 0 < g < 1) : problem bool unit coin :=
  {| reward := fun _ _ _ => -1; next := toss; discount := g; next_law := toss_law; discount_range := g01 |}.

Definition C0 : model bool unit coin := fun s _ => if s then FalseOrLikelyEnd else FalseOrEnd.
Definition C1 : model bool unit coin := fun s _ => if s then FalseOrEnd else TrueOrEnd.

(* Part 2 by a smallest stochastic witness: two states, one action, two models, one transition, and chance in every law. *)
Theorem stochastic_witness g (g01 : 0 < g < 1) :
  let M T := T = C0 \/ T = C1 in
  let D := [(false, tt, FalseOrEnd)] in
  (forall c, mass (toss c) = 1 /\ forall w x, In (w, x) (toss c) -> 0 < w < 1) /\
  realizable_data M D /\ functional D /\ proper (coins g g01) M D.
Proof.
  intros M D. set (P := coins g g01). set (v := -1 / (1 - g / 2)). set (q (_ : bool) (_ : unit) := v).
  assert (Ev : v = -1 + g * (1 / 2 * v)) by (unfold v; field; lra).
  assert (Vq : forall s, V q (Some s) = v) by (intros s; apply (maximum_is _ _ tt); intros; unfold q; lra).
  split; [|split; [|split; [|split]]].
  - intros c. split; [destruct c; simpl; lra|]. intros w x. destruct c; intros [E|[E|[]]]; injection E as <- <-; lra.
  - exists C0. split; [left; reflexivity|]. intros s a o [E|[]]. injection E as <- <- <-. reflexivity.
  - intros s a o o' [E|[]] [F|[]]. congruence.
  - intros q'. apply part1_data.
  - exists q. split; [split|].
    + exists C1. split; [right; reflexivity|]. apply optimal_bellman. intros s a. unfold backup. destruct s; cbn [C1 next P coins toss mean];
        rewrite Vq; unfold q; simpl; lra.
    + intros s a o [E|[]]. injection E as <- <- <-. unfold backup. cbn [next P coins toss mean]. rewrite Vq. unfold q. simpl. lra.
    + intros [T [[-> | ->] [X Q]]].
      * apply optimal_bellman in Q. specialize (Q true tt). unfold backup in Q. cbn [C0 next P coins toss mean] in Q. rewrite Vq in Q.
        unfold q in Q. simpl in Q. assert (g * v = 0) by lra. nra.
      * specialize (X false tt _ (or_introl eq_refl)). discriminate.
Qed.
