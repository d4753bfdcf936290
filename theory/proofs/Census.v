(* Counts over maps: how many have given optimal values, without going through the maps, and the closure criterion as a comparison of counts. *)

Require Import Reals Lra Lia List FunctionalExtensionality.
From Mbgen Require Import Finite Bellman Datasets Deterministic Counting.
Import ListNotations.
Open Scope R_scope.

Section Census.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (r : St -> Ac -> R) (g : R) (g01 : 0 < g < 1).
Notation transitions := (model St Ac (option St)).
Implicit Types (T : transitions) (q : table St Ac) (v : St -> R).

(* The optimal values of the states are v. *)
Definition optimal_values T v : Prop := exists q, qstar r g T q /\ forall s, V q (Some s) = v s.

(* The value of a successor, and of taking a in s and going to it. *)
Definition worth v (x : option St) : R := match x with None => 0 | Some s => v s end.
Definition backed v s a (x : option St) : R := r s a + g * worth v x.

Lemma optimal_values_row T v : optimal_values T v <-> forall s, maximum (fun a => backed v s a (T s a)) = v s.
Proof.
  split.
  - intros [q [Q E]] s. rewrite <- E. apply maximum_ext. intros a.
    rewrite (proj1 (qstar_bellman r g g01 T q) Q s a : q s a = _). unfold backed. do 2 f_equal.
    destruct (T s a) as [x|]; [simpl; rewrite <- E|]; reflexivity.
  - intros E. exists (fun s a => backed v s a (T s a)). split; [|exact E].
    apply (qstar_bellman r g g01). intros s a. unfold bellman_at, backed at 1. do 2 f_equal.
    destruct (T s a) as [x|]; [symmetry; apply E|reflexivity].
Qed.

(* The maximum over actions is m: none is above, and not all are below. *)
Lemma maximum_between (f : Ac -> R) m : maximum f = m <-> (forall a, f a <= m) /\ ~ forall a, f a < m.
Proof.
  split.
  - intros <-. split; [apply maximum_ge|]. intros B. specialize (B (best f)). rewrite maximum_best in B. lra.
  - intros [A B]. apply Rle_antisym; [apply maximum_le, A|]. apply Rnot_lt_le. intros C. apply B. intros a.
    eapply Rle_lt_trans; [apply maximum_ge|exact C].
Qed.

Lemma all_below_or_not (f : Ac -> R) m : {forall a, f a < m} + {~ forall a, f a < m}.
Proof.
  destruct (Rlt_dec (maximum f) m) as [L|N]; [left|right].
  - intros a. eapply Rle_lt_trans; [apply maximum_ge|exact L].
  - intros B. apply N. rewrite maximum_best. apply B.
Qed.

Lemma counts_rows {Y} (y0 : Y) (P : Ac -> Y -> Prop) (f : Ac -> Y -> R) m (le lt : Ac -> nat) :
  (forall a, counts (fun y => P a y /\ f a y <= m) (le a)) -> (forall a, counts (fun y => P a y /\ f a y < m) (lt a)) ->
  counts (fun row : Ac -> Y => (forall a, P a (row a)) /\ maximum (fun a => f a (row a)) = m) (product le - product lt).
Proof.
  intros L S. eapply counts_ext;
    [|apply (counts_without (fun row => forall a, P a (row a) /\ f a (row a) <= m) (fun row => forall a, f a (row a) < m));
      [|apply (counts_functions y0 _ _ L)|]].
  - intros row. simpl. rewrite maximum_between. split.
    + intros [A B]. repeat split; try exact B; intros a; apply A.
    + intros [A [B C]]. split; [intros a; split; [apply A|apply B]|exact C].
  - intros row. apply (all_below_or_not (fun a => f a (row a))).
  - eapply counts_ext; [|apply (counts_functions y0 _ _ S)]. intros row. simpl. split.
    + intros A. split; intros a; destruct (A a); [split; [assumption|lra]|assumption].
    + intros [A B] a. split; [apply A|apply B].
Qed.

(* The census formula. For values v let le(s, a) be how many successors have a backup of at most v(s), and lt(s, a) how many have a smaller
   one. Then product over s of (product over a of le(s, a) - product over a of lt(s, a)) maps have the optimal values v. *)
Theorem census_formula v (le lt : St -> Ac -> nat) :
  (forall s a, counts (fun x => backed v s a x <= v s) (le s a)) ->
  (forall s a, counts (fun x => backed v s a x < v s) (lt s a)) ->
  counts (fun T => optimal_values T v) (product (fun s => product (le s) - product (lt s))%nat).
Proof.
  intros L S. eapply counts_ext; [intros T; symmetry; apply optimal_values_row|].
  apply (counts_functions (fun _ => None) (fun s row => maximum (fun a => backed v s a (row a)) = v s)). intros s.
  eapply counts_ext; [|apply (counts_rows None (fun _ _ => True) (backed v s) (v s) (le s) (lt s)); intros a].
  - intros row. tauto.
  - eapply counts_ext; [|apply L]. intros x. tauto.
  - eapply counts_ext; [|apply S]. intros x. tauto.
Qed.

(* The number of action-value functions among these maps: the same formula, with distinct backups in place of successors. *)
Theorem census_value_functions v (le lt : St -> Ac -> nat) :
  (forall s a, counts (fun y => (exists x, y = backed v s a x) /\ y <= v s) (le s a)) ->
  (forall s a, counts (fun y => (exists x, y = backed v s a x) /\ y < v s) (lt s a)) ->
  counts (fun q => (exists T, qstar r g T q) /\ forall s, V q (Some s) = v s) (product (fun s => product (le s) - product (lt s))%nat).
Proof.
  intros L S.
  assert (C : counts (fun q : table St Ac => forall s, (forall a, exists x, q s a = backed v s a x) /\ maximum (q s) = v s)
                     (product (fun s => product (le s) - product (lt s))%nat)).
  { apply (counts_functions (fun _ => 0) (fun s row => (forall a, exists x, row a = backed v s a x) /\ maximum row = v s)). intros s.
    apply (counts_rows 0 (fun a y => exists x, y = backed v s a x) (fun _ y => y)); auto. }
  eapply counts_ext; [|exact C]. intros q. split.
  - intros E. assert (E' : forall s, V q (Some s) = v s) by (intros s; apply E).
    destruct (choose (fun s a x => q s a = backed v s a x) (fun _ _ => None) (fun s a => proj1 (E s) a)) as [T HT].
    split; [exists T|exact E']. apply (qstar_bellman r g g01). intros s a. unfold bellman_at. rewrite (HT s a). unfold backed. do 2 f_equal.
    destruct (T s a) as [x|]; [symmetry; apply E'|reflexivity].
  - intros [[T Q] E] s. split; [|apply E]. intros a. exists (T s a).
    rewrite (proj1 (qstar_bellman r g g01 T q) Q s a : q s a = _). unfold backed. do 2 f_equal.
    destruct (T s a) as [x|]; [apply E|reflexivity].
Qed.

(* With n states and k actions there are (n + 1)^(n k) maps. *)
Theorem number_of_maps : counts (fun _ : transitions => True) ((size St + 1) ^ (size Ac * size St))%nat.
Proof.
  replace (size St + 1)%nat with (size (option St)) by (unfold size; simpl; rewrite map_length; lia).
  rewrite Nat.pow_mul_r, <- !size_functions. apply counts_all.
Qed.

Lemma counts_by_values (vs : list ((St -> R) * nat)) : NoDup (map fst vs) ->
  (forall v n, In (v, n) vs -> counts (fun T => optimal_values T v) n) ->
  counts (fun T => exists v, In v (map fst vs) /\ optimal_values T v) (sum snd vs).
Proof.
  induction vs as [|[v n] vs IH]; simpl; intros N C; [apply counts_none; intros T [v [[] _]]|].
  inversion N as [|? ? Hv N']. subst.
  eapply counts_ext; [|apply (counts_or _ _ _ _ (C v n (or_introl eq_refl)) (IH N' (fun v n I => C v n (or_intror I))))].
  - intros T. split.
    + intros [F|[v' [I F]]]; [exists v|exists v']; auto.
    + intros [v' [[<-|I] F]]; [left|right; exists v']; auto.
  - intros T [q [Q E]] [v' [I [q' [Q' E']]]]. apply Hv. replace v with v'; [exact I|].
    extensionality s. rewrite <- E, <- E', (qstar_unique r g g01 T q q' Q Q'). reflexivity.
Qed.

(* The census is complete, with no vector of optimal values missed, exactly if its counts add up to the number of maps. *)
Theorem census_certificate (vs : list ((St -> R) * nat)) : NoDup (map fst vs) ->
  (forall v n, In (v, n) vs -> counts (fun T => optimal_values T v) n) ->
  (sum snd vs = ((size St + 1) ^ (size Ac * size St))%nat <-> forall T v, optimal_values T v -> In v (map fst vs)).
Proof.
  intros N C. rewrite (counts_subset _ _ _ _ (counts_by_values vs N C) number_of_maps (fun _ _ => I)). split.
  - intros A T v [q [Q E]]. destruct (A T I) as [v' [J [q' [Q' E']]]]. replace v with v'; [exact J|].
    extensionality s. rewrite <- E, <- E', (qstar_unique r g g01 T q q' Q Q'). reflexivity.
  - intros A T _. destruct (qstar_exists r g g01 T) as [q Q]. exists (fun s => V q (Some s)).
    assert (F : optimal_values T (fun s => V q (Some s))) by (exists q; auto). split; [apply (A T), F|exact F].
Qed.

(* The closure criterion as it is computed: for every q in H_Q the fiber, which holds the models of M that have q, has as many members as
   there are ways to choose a Bellman-consistent successor at every pair. *)
Theorem fiber_product_criterion (M : transitions -> Prop) (fiber : table St Ac -> nat) (consistent : table St Ac -> St -> Ac -> nat) :
  (forall q, H_Q r g M q -> counts (fun T => M T /\ qstar r g T q) (fiber q)) ->
  (forall q s a, H_Q r g M q -> counts (bellman_at r g q s a) (consistent q s a)) ->
  (forall D q, functional D -> H_M r g M D q <-> H_B r g M D q) <->
  (forall q, H_Q r g M q -> fiber q = product (fun s => product (consistent q s))).
Proof.
  intros CF CB. rewrite <- (theorem1_closure r g g01).
  assert (E : forall q, H_Q r g M q -> (fiber q = product (fun s => product (consistent q s)) <-> forall T, qstar r g T q -> M T)).
  { intros q Q.
    assert (Box : counts (fun T => qstar r g T q) (product (fun s => product (consistent q s)))).
    { eapply counts_ext; [intros T; symmetry; apply (qstar_bellman r g g01)|].
      apply (counts_functions (fun _ => None) (fun s row => forall a, bellman_at r g q s a (row a))). intros s.
      apply (counts_functions None (bellman_at r g q s)). intros a. apply CB, Q. }
    rewrite (counts_subset _ _ _ _ (CF q Q) Box) by tauto. split; intros A T QT; [apply A, QT|split; [apply A|]; exact QT]. }
  split.
  - intros C q Q. apply E; [exact Q|]. destruct Q as [T0 [M0 Q0]]. intros T QT. apply (C T0 T q M0 Q0 QT).
  - intros A T T' q HT Q Q'. assert (HQ : H_Q r g M q) by (exists T; auto). apply (proj1 (E q HQ) (A q HQ)), Q'.
Qed.

End Census.
