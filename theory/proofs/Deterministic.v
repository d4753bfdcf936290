(* The paper's setting, spelled out: deterministic transitions and known rewards. An option is a successor, and a plan is a sequence of
   actions. The definitions of this file read as those of the paper. Section 1 of it states Theorem 1 in words: parts 1 and 3 are
   theorem1_part1 and theorem1_part3 here, and part 2 is theorem1_part2 in Witnesses.v. *)

Require Import Reals List FunctionalExtensionality.
From Mbgen Require Import Finite Bellman Returns VersionSpaces Datasets.
Import ListNotations.
Open Scope R_scope.

Section Deterministic.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (r : St -> Ac -> R) (g : R) (g01 : 0 < g < 1).
Notation transitions := (model St Ac (option St)).
Notation data := (dataset St Ac (option St)).
Implicit Types (q : table St Ac) (T : transitions) (M : transitions -> Prop) (D : data).

(* The discounted return of the first N steps from x under a sequence of actions. *)
Fixpoint sequence_return T (x : option St) (acts : nat -> Ac) (N : nat) : R :=
  match N, x with
  | O, _ | _, None => 0
  | S N', Some s => r s (acts O) + g * sequence_return T (T s (acts O)) (fun i => acts (S i)) N'
  end.

(* q(s, a) is the largest return over all infinite sequences of actions that begin with a in s. *)
Definition qstar T q : Prop :=
  forall s a,
    (forall acts v, acts O = a -> Un_cv (sequence_return T (Some s) acts) v -> v <= q s a) /\
    (exists acts, acts O = a /\ Un_cv (sequence_return T (Some s) acts) (q s a)).

Definition bellman_at q s a (x : option St) : Prop := q s a = r s a + g * V q x.

Definition H_Q M q : Prop := exists T, M T /\ qstar T q.
Definition H_M M D q : Prop := exists T, M T /\ extends T D /\ qstar T q.
Definition H_B M D q : Prop := H_Q M q /\ forall s a x, In (s, a, x) D -> bellman_at q s a x.

(* ---- as an instance ---- *)

Definition paper : problem St Ac (option St) :=
  {| reward := fun s a _ => r s a; next := fun x => [(1, x)]; discount := g; next_law := sure_law; discount_range := g01 |}.

Lemma backup_paper q s a x : backup paper q s a x = r s a + g * V q x.
Proof. unfold backup. simpl. ring. Qed.

Lemma sequence_as_plan T acts N : forall x, sequence_return T x acts N = gain paper T x (fun h => acts (length h)) N.
Proof.
  revert acts. induction N as [|N IH]; intros acts [s|]; try reflexivity.
  simpl. rewrite (IH (fun i => acts (S i))). ring.
Qed.

(* The actions that a plan takes from x on. *)
Fixpoint taken T (x : option St) (p : plan St Ac) (n : nat) : Ac :=
  match n, x with
  | O, _ => p []
  | S n', None => default
  | S n', Some s => taken T (T s (p [])) (fun h => p (T s (p []) :: h)) n'
  end.

Lemma plan_as_sequence T N : forall x p, gain paper T x p N = sequence_return T x (taken T x p) N.
Proof.
  induction N as [|N IH]; intros [s|] p; try reflexivity. simpl. rewrite IH.
  rewrite Rmult_1_l, Rplus_0_r. reflexivity.
Qed.

(* Sequences of actions earn as much as plans that look at the history. *)
Theorem sequences_suffice T q : qstar T q <-> optimal paper T q.
Proof.
  split; intros Q s a; destruct (Q s a) as [B [w [E C]]]; split.
  - intros p v Hp Hv. apply (B (taken T (Some s) p)); [exact Hp|].
    intros e He. destruct (Hv e He) as [N HN]. exists N. intros n Hn. rewrite <- plan_as_sequence. apply HN, Hn.
  - exists (fun h => w (length h)). split; [exact E|].
    intros e He. destruct (C e He) as [N HN]. exists N. intros n Hn. rewrite <- sequence_as_plan. apply HN, Hn.
  - intros acts v Ha Hv. apply (B (fun h => acts (length h))); [exact Ha|].
    intros e He. destruct (Hv e He) as [N HN]. exists N. intros n Hn. rewrite <- sequence_as_plan. apply HN, Hn.
  - exists (taken T (Some s) w). split; [exact E|].
    intros e He. destruct (C e He) as [N HN]. exists N. intros n Hn. rewrite <- plan_as_sequence. apply HN, Hn.
Qed.

(* A table is q-star exactly if it solves the Bellman optimality equation. *)
Theorem qstar_bellman T q : qstar T q <-> forall s a, bellman_at q s a (T s a).
Proof.
  rewrite sequences_suffice, optimal_bellman. unfold bellman, bellman_at.
  split; intros B s a; specialize (B s a); rewrite backup_paper in *; exact B.
Qed.

(* Every model has a q-star. *)
Theorem qstar_exists T : exists q, qstar T q.
Proof. destruct (optimal_exists paper T) as [q Q]. exists q. apply sequences_suffice, Q. Qed.

(* A model has one q-star. *)
Theorem qstar_unique T q q' : qstar T q -> qstar T q' -> q = q'.
Proof.
  rewrite !sequences_suffice. intros Q Q'. extensionality s. extensionality a. apply (optimal_unique paper T q q' Q Q').
Qed.

Lemma H_Q_paper M q : H_Q M q <-> HQ paper M q.
Proof. unfold H_Q, HQ. split; intros [T [HT Q]]; exists T; split; try apply sequences_suffice; assumption. Qed.

Lemma H_M_paper M D q : H_M M D q <-> HM_data paper M D q.
Proof. unfold H_M, HM_data. split; intros [T [HT [X Q]]]; exists T; repeat split; try apply sequences_suffice; try assumption; apply Q. Qed.

Lemma H_B_paper M D q : H_B M D q <-> HB_data paper M D q.
Proof.
  unfold H_B, HB_data. rewrite H_Q_paper. split; intros [Q B]; split; try exact Q; intros s a x Hx; specialize (B s a x Hx);
    unfold bellman_at in *; rewrite backup_paper in *; exact B.
Qed.

(* ---- the theorem ---- *)

Definition every_map : transitions -> Prop := fun _ => True.
Let all : evidence St Ac (option St) := fun _ _ _ => True.
Let all_possible M : forall T, M T -> allowed T all := fun _ _ _ _ => I.
Let all_data D : possible_data all D := fun _ _ _ _ => I.

(* Theorem 1, part 1: H_M(D) is a subset of H_B(D), for any class and any dataset. *)
Theorem theorem1_part1 M D q : H_M M D q -> H_B M D q.
Proof. rewrite H_M_paper, H_B_paper. apply part1_data. Qed.

(* Theorem 1, part 3: for the class of all maps the two are equal, for every functional dataset. *)
Theorem theorem1_part3 D q : functional D -> H_M every_map D q <-> H_B every_map D q.
Proof.
  intros F. rewrite H_M_paper, H_B_paper.
  apply (closed_equal_data paper all); [apply all_possible| |exact F|apply all_data]. intros T T' p _ _ _ _. exact I.
Qed.

(* With T the class holds every map that has the same q-star. *)
Definition closed_under_equivalence M : Prop := forall T T' q, M T -> qstar T q -> qstar T' q -> M T'.

(* The closure criterion: equality for every functional D exactly if M is closed under q-star-equivalence. *)
Theorem theorem1_closure M : closed_under_equivalence M <-> forall D q, functional D -> H_M M D q <-> H_B M D q.
Proof.
  transitivity (closed paper all M).
  - unfold closed_under_equivalence, closed. split; intros C T T' q.
    + rewrite <- !sequences_suffice. eauto.
    + rewrite !sequences_suffice. intros HT Q Q'. apply (C T T' q HT Q Q'). intros s a. exact I.
  - rewrite (closure_criterion_data paper all M (all_possible M)).
    split; intros Eq D q F; [rewrite H_M_paper, H_B_paper; apply Eq; [exact F|apply all_data]|].
    intros _. rewrite <- H_M_paper, <- H_B_paper. apply Eq, F.
Qed.

(* The exchange criterion: equality for every realizable D exactly if for every T0 in M and q in H_Q some T in M that has q agrees with T0
   wherever T0(s, a) is Bellman-consistent with q. *)
Theorem theorem1_exchange M :
  (forall T0 q, M T0 -> H_Q M q -> exists T, M T /\ qstar T q /\ forall s a, bellman_at q s a (T0 s a) -> T s a = T0 s a) <->
  (forall D q, realizable_data M D -> H_M M D q <-> H_B M D q).
Proof.
  transitivity (exchange paper M).
  - unfold exchange, bellman_at. split; intros X T0 q M0 Q; [apply H_Q_paper in Q|apply H_Q_paper in Q];
      destruct (X T0 q M0 Q) as [T [HT [QT A]]]; exists T; split; [assumption| |assumption|]; split;
      try (apply sequences_suffice; assumption); intros s a; specialize (A s a); rewrite backup_paper in *; exact A.
  - rewrite exchange_criterion_data.
    split; intros Eq D q F; [rewrite H_M_paper, H_B_paper; apply Eq; auto|rewrite <- H_M_paper, <- H_B_paper; auto].
Qed.

(* The criterion for arbitrary datasets: equality for every D exactly if M is closed under q-star-equivalence, and no q in H_Q is consistent
   with two successors of one pair. *)
Theorem theorem1_arbitrary M :
  closed_under_equivalence M /\ (forall q s a x y, H_Q M q -> bellman_at q s a x -> bellman_at q s a y -> x = y) <->
  forall D q, H_M M D q <-> H_B M D q.
Proof.
  split.
  - intros [C S] D q. split; [apply theorem1_part1|]. intros [Q B].
    apply theorem1_closure; [exact C| |split; assumption]. intros s a x y Hx Hy. apply (S q s a); auto.
  - intros Eq. split; [apply theorem1_closure; auto|]. intros q s a x y Q Bx By.
    destruct (proj2 (Eq [(s, a, x); (s, a, y)] q)) as [T [_ [X _]]].
    + split; [exact Q|]. intros s' a' z [E|[E|[]]]; injection E as <- <- <-; assumption.
    + transitivity (T s a); [symmetry|]; apply X; simpl; auto.
Qed.

End Deterministic.
