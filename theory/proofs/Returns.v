(* What optimal means: q-star(s, a) is the largest expected discounted return over all plans that begin with a in s, whatever they make of
   the history. It is the solution of the Bellman optimality equation, and the greedy policy earns it. *)

Require Import Reals Lra Lia List.
From Mbgen Require Import Finite Geometric Bellman.
Import ListNotations.
Open Scope R_scope.

(* An action for each history, which is the list of the states that came after the first. *)
Definition plan (St Ac : Type) := list (option St) -> Ac.

Section Returns.
Context {St Ac Op : Type} `{Finite St} `{Finite Ac} (P : problem St Ac Op).
Notation g := (discount P).
Implicit Types (q : table St Ac) (T : model St Ac Op) (p : plan St Ac).
Let g01 := discount_range P.

(* The expected discounted return of the first N steps from x. *)
Fixpoint gain T (x : option St) p (N : nat) : R :=
  match N, x with
  | O, _ | _, None => 0
  | S N', Some s =>
      reward P s (p []) (T s (p [])) + g * mean (fun y => gain T y (fun h => p (y :: h)) N') (next P (T s (p [])))
  end.

Definition optimal T q : Prop :=
  forall s a,
    (forall p v, p [] = a -> Un_cv (gain T (Some s) p) v -> v <= q s a) /\
    (exists p, p [] = a /\ Un_cv (gain T (Some s) p) (q s a)).

Lemma gain_none T p N : gain T None p N = 0.
Proof. destruct N; reflexivity. Qed.

Lemma bounded_gain T : exists C, 0 <= C /\ forall N x p, Rabs (gain T x p N) <= C.
Proof.
  destruct (bounded (fun s a => reward P s a (T s a))) as [c [Hc B]]. set (C := c / (1 - g)).
  assert (HC : C = c + g * C) by (unfold C; field; lra).
  assert (C0 : 0 <= C) by (unfold C, Rdiv; apply Rmult_le_pos; [lra|apply Rlt_le, Rinv_0_lt_compat; lra]).
  exists C. split; [assumption|]. induction N as [|N IH]; intros [s|] p; simpl; try (rewrite Rabs_R0; assumption).
  rewrite HC. eapply Rle_trans; [apply Rabs_triang|]. apply Rplus_le_compat; [apply B|].
  rewrite Rabs_mult, (Rabs_right g) by lra. apply Rmult_le_compat_l; [lra|].
  rewrite <- (Rminus_0_r (mean _ _)), <- (mean_zero (next P (T s (p [])))).
  apply mean_near; [apply next_law|assumption|]. intro y. rewrite Rminus_0_r. apply IH.
Qed.

(* Every plan has a return, so that `optimal` leaves none out. *)
Theorem gain_converges T x p : exists v, Un_cv (gain T x p) v.
Proof.
  destruct (bounded_gain T) as [C [HC B]].
  assert (B2 : forall N K y p, Rabs (gain T y p (N + K) - gain T y p N) <= g ^ N * C).
  { induction N as [|N IH]; intros K y p'.
    - rewrite pow_O, Rmult_1_l. simpl. replace (gain T y p' 0) with 0 by (destruct y; reflexivity).
      rewrite Rminus_0_r. apply B.
    - destruct y as [s|]; [|rewrite !gain_none, Rminus_0_r, Rabs_R0; apply power_times; assumption].
      simpl. match goal with |- Rabs (?a + ?b - (?a + ?d)) <= _ => replace (a + b - (a + d)) with (b - d) by ring end.
      rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_right g), Rmult_assoc by lra.
      apply Rmult_le_compat_l; [lra|]. apply mean_near; [apply next_law|apply power_times; assumption|]. intro y. apply IH. }
  destruct (has_limit g g01 (gain T x p) C HC (fun N K => B2 N K x p)) as [v Hv _]. exists v. exact Hv.
Qed.

Lemma gain_le T q C : bellman P T q -> 0 <= C -> (forall s a, Rabs (q s a) <= C) ->
  forall N s p, gain T (Some s) p N <= q s (p []) + g ^ N * C.
Proof.
  intros Hq HC Hb. induction N as [|N IH]; intros s p.
  - simpl. pose proof (proj1 (abs_le _ _) (Hb s (p []))). lra.
  - simpl gain. rewrite (Hq s (p [])). unfold backup. pose proof (power_times g g01 N C HC) as Hp.
    set (o := T s (p [])).
    assert (M : mean (fun y => gain T y (fun h => p (y :: h)) N) (next P o) - mean (V q) (next P o) <= g ^ N * C).
    { apply mean_below; [apply next_law|assumption|]. intros [y|]; [|rewrite gain_none; simpl; lra].
      specialize (IH y (fun h => p (Some y :: h))). simpl in IH. pose proof (V_ge q y (p [Some y])). lra. }
    apply Rmult_le_compat_l with (r := g) in M; [|lra]. simpl (g ^ S N). lra.
Qed.

(* The plan of the greedy policy from x on, and the one that takes a first. *)
Definition act q (x : option St) : Ac := match x with None => default | Some s => greedy q s end.
Fixpoint follow q (x : option St) (h : list (option St)) : Ac := match h with [] => act q x | y :: h' => follow q y h' end.
Definition first a q : plan St Ac := fun h => match h with [] => a | y :: h' => follow q y h' end.

Lemma gain_follow T q C : bellman P T q -> 0 <= C -> (forall s a, Rabs (q s a) <= C) ->
  forall N x, Rabs (gain T x (follow q x) N - V q x) <= g ^ N * C.
Proof.
  intros Hq HC Hb. induction N as [|N IH]; intros x.
  - rewrite pow_O, Rmult_1_l. destruct x as [s|]; simpl gain; [|simpl; apply abs_le; lra].
    rewrite V_greedy, Rminus_0_l, Rabs_Ropp. apply Hb.
  - destruct x as [s|]; [|rewrite gain_none; simpl V; rewrite Rminus_0_r, Rabs_R0; apply power_times; assumption].
    rewrite V_greedy, (Hq s (greedy q s)). unfold backup. simpl gain. simpl (g ^ S N).
    match goal with |- Rabs (?a + ?b - (?a + ?d)) <= _ => replace (a + b - (a + d)) with (b - d) by ring end.
    rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_right g), Rmult_assoc by lra.
    apply Rmult_le_compat_l; [lra|]. apply mean_near; [apply next_law|apply power_times; assumption|]. intro y. apply IH.
Qed.

Lemma bellman_optimal T q : bellman P T q -> optimal T q.
Proof.
  intros Hq. destruct (bounded q) as [C [HC Hb]]. intros s a. split.
  - intros p v <- Hv. apply le_epsilon. intros e He.
    assert (He2 : 0 < e / 2) by lra.
    destruct (Hv _ He2) as [N HN]. destruct (power_small g g01 C _ HC He2) as [K HK].
    specialize (HN (N + K)%nat ltac:(lia)). specialize (HK (N + K)%nat ltac:(lia)).
    pose proof (gain_le T q C Hq HC Hb (N + K) s p) as B.
    unfold R_dist in HN. apply Rabs_def2 in HN. lra.
  - exists (first a q). split; [reflexivity|].
    apply (converges g g01 _ _ C HC). intros [|N].
    + rewrite pow_O, Rmult_1_l. simpl gain. rewrite Rminus_0_l, Rabs_Ropp. apply Hb.
    + rewrite (Hq s a). unfold backup. simpl gain. simpl (g ^ S N).
      match goal with |- Rabs (?a + ?b - (?a + ?d)) <= _ => replace (a + b - (a + d)) with (b - d) by ring end.
      rewrite <- Rmult_minus_distr_l, Rabs_mult, (Rabs_right g), Rmult_assoc by lra.
      apply Rmult_le_compat_l; [lra|]. apply mean_near; [apply next_law|apply power_times; assumption|].
      intro y. apply gain_follow; assumption.
Qed.

Lemma optimal_unique T q q' : optimal T q -> optimal T q' -> forall s a, q s a = q' s a.
Proof.
  intros Hq Hq' s a. destruct (Hq s a) as [B [x [Hx Hxv]]], (Hq' s a) as [B' [y [Hy Hyv]]].
  apply Rle_antisym; [apply (B' x)|apply (B y)]; assumption.
Qed.

(* q-star, the table of largest returns, exists for every model. *)
Theorem optimal_exists T : exists q, optimal T q.
Proof. destruct (bellman_exists P T) as [q Hq]. exists q. apply bellman_optimal, Hq. Qed.

(* A table is q-star exactly if it solves the Bellman optimality equation. *)
Theorem optimal_bellman T q : optimal T q <-> bellman P T q.
Proof.
  split; [|apply bellman_optimal]. intros Hq. destruct (bellman_exists P T) as [q' Hq'].
  pose proof (optimal_unique T q q' Hq (bellman_optimal T q' Hq')) as E.
  intros s a. rewrite E, (backup_ext P q q') by exact E. apply Hq'.
Qed.

(* ---- plans that choose at random ---- *)

(* Probabilities of actions for each history, which here holds the actions too. *)
Definition random_plan := list (Ac * option St) -> list (R * Ac).
Definition distributions (rho : random_plan) : Prop := forall h, (forall w a, In (w, a) (rho h) -> 0 <= w) /\ mass (rho h) = 1.

Fixpoint random_gain T (x : option St) (rho : random_plan) (N : nat) : R :=
  match N, x with
  | O, _ | _, None => 0
  | S N', Some s =>
      mean (fun a => reward P s a (T s a) + g * mean (fun y => random_gain T y (fun h => rho ((a, y) :: h)) N') (next P (T s a)))
           (rho [])
  end.

Lemma mean_at_most (f : Ac -> R) k l : (forall w a, In (w, a) l -> 0 <= w) -> (forall a, f a <= k) -> mean f l <= k * mass l.
Proof.
  intros W F. induction l as [|[w a] l IH]; simpl; [lra|].
  specialize (IH (fun v b I => W v b (or_intror I))). pose proof (Rmult_le_compat_l w _ _ (W w a (or_introl eq_refl)) (F a)). lra.
Qed.

Lemma random_gain_le T q C : bellman P T q -> 0 <= C -> (forall s a, Rabs (q s a) <= C) ->
  forall N x rho, distributions rho -> random_gain T x rho N <= V q x + g ^ N * C.
Proof.
  intros Hq HC Hb. induction N as [|N IH]; intros [s|] rho D.
  - rewrite V_greedy. simpl. pose proof (proj1 (abs_le _ _) (Hb s (greedy q s))). lra.
  - simpl. lra.
  - simpl random_gain. destruct (D []) as [W M1]. rewrite <- (Rmult_1_r (V q (Some s) + _)), <- M1.
    apply mean_at_most; [exact W|]. intros a. pose proof (V_ge q s a) as Va. rewrite (Hq s a) in Va. unfold backup in Va.
    assert (M : mean (fun y => random_gain T y (fun h => rho ((a, y) :: h)) N) (next P (T s a)) - mean (V q) (next P (T s a)) <= g ^ N * C).
    { apply mean_below; [apply next_law|apply power_times; assumption|]. intros y.
      specialize (IH y (fun h => rho ((a, y) :: h)) (fun h => D ((a, y) :: h))). lra. }
    apply Rmult_le_compat_l with (r := g) in M; [|lra]. simpl (g ^ S N). lra.
  - pose proof (power_times g g01 (S N) C HC) as Hp. simpl in *. lra.
Qed.

(* Plans that choose at random earn no more than the largest of q-star. *)
Theorem random_plans_earn_no_more T q rho s v : optimal T q -> distributions rho -> Un_cv (random_gain T (Some s) rho) v -> v <= V q (Some s).
Proof.
  intros Hq%optimal_bellman D Hv. destruct (bounded q) as [C [HC Hb]]. apply le_epsilon. intros e He.
  assert (He2 : 0 < e / 2) by lra. destruct (Hv _ He2) as [N HN]. destruct (power_small g g01 C _ HC He2) as [K HK].
  specialize (HN (N + K)%nat ltac:(lia)). specialize (HK (N + K)%nat ltac:(lia)).
  pose proof (random_gain_le T q C Hq HC Hb (N + K) (Some s) rho D). unfold R_dist in HN. apply Rabs_def2 in HN. lra.
Qed.

(* ---- stationary policies ---- *)

(* q holds the action values of the policy pi. *)
Definition after (pi : St -> Ac) q (x : option St) : R := match x with None => 0 | Some y => q y (pi y) end.
Definition evaluates T (pi : St -> Ac) q : Prop :=
  forall s a, q s a = reward P s a (T s a) + g * mean (after pi q) (next P (T s a)).

(* The greedy policy of q-star has q-star as its own values, and no stationary policy has larger ones. *)
Theorem greedy_policy_is_best T q : optimal T q ->
  evaluates T (greedy q) q /\ forall pi q', evaluates T pi q' -> forall s a, q' s a <= q s a.
Proof.
  intros Hq%optimal_bellman. split.
  - intros s a. rewrite (Hq s a) at 1. unfold backup. do 2 f_equal. apply mean_ext. intros [y|]; [apply V_greedy|reflexivity].
  - intros pi q' Hp. destruct (bounded (fun s a => q' s a - q s a)) as [d [Hd B]].
    assert (Hn : forall n s a, q' s a - q s a <= g ^ n * d).
    { induction n as [|n IH]; intros s a; [rewrite pow_O, Rmult_1_l; apply abs_le, B|].
      rewrite (Hp s a), (Hq s a). unfold backup. pose proof (power_times g g01 n d Hd) as Hpow.
      assert (M : mean (after pi q') (next P (T s a)) - mean (V q) (next P (T s a)) <= g ^ n * d).
      { apply mean_below; [apply next_law|assumption|]. intros [y|]; [|simpl; lra].
        specialize (IH y (pi y)). pose proof (V_ge q y (pi y)). simpl after. lra. }
      apply Rmult_le_compat_l with (r := g) in M; [|lra]. simpl (g ^ S n). lra. }
    intros s a. pose proof (at_most g g01 (q' s a - q s a) d Hd (fun n => Hn n s a)). lra.
Qed.

(* Policy improvement: a policy that is nowhere worse by the values of another has values that are nowhere smaller, and where it is better by
   those, it is worth more. So policy iteration comes to no policy twice, and stops. *)
Theorem policy_improvement T pi q pi' q' : evaluates T pi q -> evaluates T pi' q' -> (forall s, q s (pi s) <= q s (pi' s)) ->
  (forall s a, q s a <= q' s a) /\ (forall s, q s (pi s) < q s (pi' s) -> q s (pi s) < q' s (pi' s)).
Proof.
  intros Hq Hq' G. destruct (bounded (fun s a => q s a - q' s a)) as [d [Hd B]].
  assert (Hn : forall n s a, q s a - q' s a <= g ^ n * d).
  { induction n as [|n IH]; intros s a; [rewrite pow_O, Rmult_1_l; apply abs_le, B|].
    rewrite (Hq s a), (Hq' s a). pose proof (power_times g g01 n d Hd) as Hpow.
    assert (M : mean (after pi q) (next P (T s a)) - mean (after pi' q') (next P (T s a)) <= g ^ n * d).
    { apply mean_below; [apply next_law|assumption|]. intros [y|]; [|simpl; lra].
      specialize (IH y (pi' y)). specialize (G y). simpl after. lra. }
    apply Rmult_le_compat_l with (r := g) in M; [|lra]. simpl (g ^ S n). lra. }
  assert (L : forall s a, q s a <= q' s a).
  { intros s a. pose proof (at_most g g01 (q s a - q' s a) d Hd (fun n => Hn n s a)). lra. }
  split; [exact L|]. intros s F. specialize (L s (pi' s)). lra.
Qed.

(* Where policy iteration stops, it has found q-star: a policy that is greedy for its own values. *)
Theorem policy_iteration_stops_at_optimal T pi q : evaluates T pi q -> (forall s a, q s a <= q s (pi s)) -> optimal T q.
Proof.
  intros E G. apply bellman_optimal. intros s a. rewrite (E s a) at 1. unfold backup. do 2 f_equal. apply mean_ext.
  intros [y|]; [|reflexivity]. symmetry. apply (maximum_is _ _ (pi y)); [apply G|reflexivity].
Qed.

End Returns.
