(* Models of options, and the Bellman optimality equation: it has one solution.

   At every pair (s, a) a model chooses an option: a reward and a law over successors. A deterministic MDP chooses a successor, one with
   unknown rewards a reward and a successor, a stochastic one a law; Deterministic.v and Instances.v say so. *)

Require Import Reals Lra List.
From Mbgen Require Import Finite Geometric.
Import ListNotations.
Open Scope R_scope.

(* ---- laws over successors ---- *)

(* Probabilities and successors; None is the terminal state. What they lack of 1 ends the episode too. *)
Definition law (St : Type) := list (R * option St).

Fixpoint mass {X} (l : list (R * X)) : R := match l with [] => 0 | (w, _) :: l' => w + mass l' end.
Fixpoint mean {X} (f : X -> R) (l : list (R * X)) : R := match l with [] => 0 | (w, x) :: l' => w * f x + mean f l' end.
Definition is_law {X} (l : list (R * X)) := (forall w x, In (w, x) l -> 0 <= w) /\ mass l <= 1.

Section Means.
Context {X : Type}.
Implicit Types (l : list (R * X)) (f h : X -> R).

Lemma mass_nonnegative l : (forall w x, In (w, x) l -> 0 <= w) -> 0 <= mass l.
Proof.
  induction l as [|[w x] l IH]; intros H; simpl; [lra|].
  pose proof (H w x (or_introl eq_refl)). pose proof (IH (fun v y E => H v y (or_intror E))). lra.
Qed.

Lemma mean_below f h d l : is_law l -> 0 <= d -> (forall x, f x - h x <= d) -> mean f l - mean h l <= d.
Proof.
  intros [Hp Hm] Hd H. apply Rle_trans with (mass l * d).
  - clear Hm. induction l as [|[w x] l IH]; simpl; [lra|].
    pose proof (Hp w x (or_introl eq_refl)) as Hw. specialize (IH (fun v y E => Hp v y (or_intror E))).
    pose proof (Rmult_le_compat_l w _ _ Hw (H x)). lra.
  - pose proof (mass_nonnegative l Hp). nra.
Qed.

Lemma mean_near f h d l : is_law l -> 0 <= d -> (forall x, Rabs (f x - h x) <= d) -> Rabs (mean f l - mean h l) <= d.
Proof.
  intros L Hd H. assert (A : forall x, - d <= f x - h x <= d) by (intro x; apply abs_le, H).
  apply abs_le. pose proof (mean_below f h d l L Hd (fun x => proj2 (A x))).
  assert (mean h l - mean f l <= d) by (apply mean_below; [assumption..|intro x; pose proof (A x); lra]). lra.
Qed.

Lemma mean_ext f h l : (forall x, f x = h x) -> mean f l = mean h l.
Proof. intros H. induction l as [|[w x] l IH]; simpl; [reflexivity|]. rewrite H, IH. reflexivity. Qed.

Lemma mean_zero l : mean (fun _ => 0) l = 0.
Proof. induction l as [|[w x] l IH]; simpl; [|rewrite IH]; lra. Qed.

Lemma sure_law (x : X) : is_law [(1, x)].
Proof. split; simpl; [intros w y [E|[]]; injection E as <- <-; lra|lra]. Qed.

End Means.

(* ---- problems, models, the equation ---- *)

(* What all models of a class share: what each option earns and where it leads, and the discount. *)
Record problem (St Ac Op : Type) := Problem {
  reward : St -> Ac -> Op -> R;
  next : Op -> law St;
  discount : R;
  next_law : forall o, is_law (next o);
  discount_range : 0 < discount < 1 }.
Arguments Problem {St Ac Op}.
Arguments reward {St Ac Op}.
Arguments next {St Ac Op}.
Arguments discount {St Ac Op}.
Arguments next_law {St Ac Op}.
Arguments discount_range {St Ac Op}.

Definition table (St Ac : Type) := St -> Ac -> R.
Definition model (St Ac Op : Type) := St -> Ac -> Op.

Section Bellman.
Context {St Ac Op : Type} `{Finite St} `{Finite Ac} (P : problem St Ac Op).
Notation g := (discount P).
Implicit Types (q p : table St Ac) (T : model St Ac Op).
Let g01 := discount_range P.

Definition V q (x : option St) : R := match x with None => 0 | Some s => maximum (q s) end.
Definition backup q s a (o : Op) : R := reward P s a o + g * mean (V q) (next P o).
Definition bellman T q : Prop := forall s a, q s a = backup q s a (T s a).

Definition greedy q s : Ac := best (q s).

Lemma V_greedy q s : V q (Some s) = q s (greedy q s).
Proof. apply maximum_best. Qed.

Lemma V_ge q s a : q s a <= V q (Some s).
Proof. apply maximum_ge. Qed.

Lemma V_ext q p : (forall s a, q s a = p s a) -> forall x, V q x = V p x.
Proof. intros E [s|]; [apply maximum_ext, E|reflexivity]. Qed.

Lemma backup_ext q p s a o : (forall s a, q s a = p s a) -> backup q s a o = backup p s a o.
Proof. intros E. unfold backup. do 2 f_equal. apply mean_ext, V_ext, E. Qed.

(* ---- the Bellman optimality operator is a contraction ---- *)

Definition near q p d : Prop := forall s a, Rabs (q s a - p s a) <= d.

Lemma V_near q p d x : 0 <= d -> near q p d -> Rabs (V q x - V p x) <= d.
Proof.
  intros Hd N. apply abs_le. destruct x as [s|]; [|simpl; lra].
  pose proof (V_ge q s (greedy p s)). pose proof (V_ge p s (greedy q s)). rewrite (V_greedy q s) in *. rewrite (V_greedy p s) in *.
  pose proof (proj1 (abs_le _ _) (N s (greedy q s))). pose proof (proj1 (abs_le _ _) (N s (greedy p s))). lra.
Qed.

Lemma contraction q p d s a o : 0 <= d -> near q p d -> Rabs (backup q s a o - backup p s a o) <= g * d.
Proof.
  intros Hd N. unfold backup.
  replace (reward P s a o + g * mean (V q) (next P o) - (reward P s a o + g * mean (V p) (next P o)))
    with (g * (mean (V q) (next P o) - mean (V p) (next P o))) by ring.
  rewrite Rabs_mult, (Rabs_right g) by lra. apply Rmult_le_compat_l; [lra|].
  apply mean_near; [apply next_law|assumption|]. intro x. apply V_near; assumption.
Qed.

(* The Bellman optimality equation of a model has at most one solution. Part 3 rests on it. *)
Theorem bellman_unique T q p : bellman T q -> bellman T p -> forall s a, q s a = p s a.
Proof.
  intros Hq Hp. destruct (bounded (fun s a => q s a - p s a)) as [d [Hd B]].
  assert (Hn : forall n, near q p (g ^ n * d)).
  { induction n as [|n IH]; intros s a; [rewrite pow_O, Rmult_1_l; apply B|].
    rewrite (Hq s a), (Hp s a). replace (g ^ S n * d) with (g * (g ^ n * d)) by (simpl; ring).
    apply contraction; [apply power_times|]; assumption. }
  intros s a. apply Rminus_diag_uniq, (vanish g g01 _ d Hd). intro n. apply Hn.
Qed.

(* ---- it has a fixed point: value iteration converges ---- *)

Fixpoint iterate T (n : nat) : table St Ac :=
  match n with O => fun _ _ => 0 | S n' => fun s a => backup (iterate T n') s a (T s a) end.

Lemma iterate_near T : exists C, 0 <= C /\ forall n m, near (iterate T (n + m)) (iterate T n) (g ^ n * C).
Proof.
  destruct (bounded (iterate T 1)) as [c [Hc B1]]. set (C := c / (1 - g)).
  assert (HC : C = c + g * C) by (unfold C; field; lra).
  assert (H0' : 0 <= C) by (unfold C, Rdiv; apply Rmult_le_pos; [lra|apply Rlt_le, Rinv_0_lt_compat; lra]).
  exists C. split; [assumption|].
  assert (B : forall m, near (iterate T m) (iterate T 0) C).
  { induction m as [|m IH]; intros s a; [apply abs_le; simpl; lra|].
    pose proof (proj1 (abs_le _ _) (contraction (iterate T m) (iterate T 0) C s a (T s a) H0' IH)) as D.
    pose proof (proj1 (abs_le _ _) (B1 s a)) as E. simpl in *. apply abs_le. lra. }
  induction n as [|n IH]; intros m s a; [rewrite pow_O, Rmult_1_l; apply B|].
  simpl. rewrite Rmult_assoc. apply contraction; [apply power_times; assumption|apply IH].
Qed.

(* The Bellman optimality equation of every model has a solution. *)
Theorem bellman_exists T : exists q, bellman T q.
Proof.
  destruct (iterate_near T) as [C [HC N]].
  set (limit s a := has_limit g g01 (fun n => iterate T n s a) C HC (fun n m => N n m s a)).
  set (q s a := let (v, _, _) := limit s a in v).
  assert (Hq : forall n, near q (iterate T n) (g ^ n * C)).
  { intros n s a. unfold q. destruct (limit s a) as [v _ Hv]. apply Hv. }
  exists q. intros s a. apply Rminus_diag_uniq, (vanish g g01 _ (2 * C)); [lra|]. intro n.
  pose proof (Hq (S n) s a) as B1. pose proof (power_times g g01 n C HC).
  assert (B2 : Rabs (backup (iterate T n) s a (T s a) - backup q s a (T s a)) <= g * (g ^ n * C))
    by (rewrite Rabs_minus_sym; apply contraction; [assumption|apply Hq]).
  replace (q s a - backup q s a (T s a))
    with ((q s a - iterate T (S n) s a) + (backup (iterate T n) s a (T s a) - backup q s a (T s a))) by (simpl; ring).
  eapply Rle_trans; [apply Rabs_triang|]. simpl in B1. rewrite Rmult_assoc in B1.
  apply Rle_trans with (g * (g ^ n * C) + g * (g ^ n * C)); [apply Rplus_le_compat; assumption|nra].
Qed.

End Bellman.
