(* Discount 1, in the paper's setting: deterministic transitions, known rewards, and values over terminating paths. A class keeps the models
   whose q-star is finite. The Bellman equation may have several solutions here, unless no choice of one action in each of some distinct
   states has rewards that sum to zero. *)

Require Import Reals Lra Lia List FunctionalExtensionality.
From Mbgen Require Import Finite Geometric Bellman Datasets.
Import ListNotations.
Open Scope R_scope.

Section Undiscounted.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (r : St -> Ac -> R).
Notation transitions := (model St Ac (option St)).
Notation data := (dataset St Ac (option St)).
Implicit Types (q : table St Ac) (T : transitions) (M : transitions -> Prop) (D : data).

(* Some path from s that begins with a and ends in the terminal state has rewards that sum to v. *)
Inductive terminating T : St -> Ac -> R -> Prop :=
| last s a : T s a = None -> terminating T s a (r s a)
| step s a s' a' v : T s a = Some s' -> terminating T s' a' v -> terminating T s a (r s a + v).

(* q-star is finite, and q is it: the least upper bound of those sums, at every pair. *)
Definition qstar_1 T q : Prop := forall s a, is_lub (terminating T s a) (q s a).
Definition bellman_1_at q s a (x : option St) : Prop := q s a = r s a + V q x.
Definition bellman_1 T q : Prop := forall s a, bellman_1_at q s a (T s a).

Definition H_Q_1 M q : Prop := exists T, M T /\ qstar_1 T q.
Definition H_M_1 M D q : Prop := exists T, M T /\ extends T D /\ qstar_1 T q.
Definition H_B_1 M D q : Prop := H_Q_1 M q /\ forall s a x, In (s, a, x) D -> bellman_1_at q s a x.

(* At discount 1, q-star solves the Bellman optimality equation; no side condition is needed. *)
Theorem undiscounted_bellman T q : qstar_1 T q -> bellman_1 T q.
Proof.
  intros Q s a. unfold bellman_1_at. destruct (Q s a) as [B L]. destruct (T s a) as [s'|] eqn:E.
  - apply Rle_antisym.
    + apply L. intros v Hv. destruct Hv as [s a E'|s a s2 a' v E' Hv]; [congruence|].
      rewrite E in E'. injection E' as <-. apply Rplus_le_compat_l.
      eapply Rle_trans; [apply (proj1 (Q s' a')), Hv|apply V_ge].
    + rewrite V_greedy. enough (q s' (greedy q s') <= q s a - r s a) by lra.
      apply (proj2 (Q s' (greedy q s'))). intros v Hv. pose proof (B _ (step T s a _ _ v E Hv)). lra.
  - simpl. rewrite Rplus_0_r. apply Rle_antisym; [|apply B, last, E].
    apply L. intros v Hv. destruct Hv as [s a E'|s a s2 a' v E' Hv]; [apply Rle_refl|congruence].
Qed.

(* ---- the zero-sum test ---- *)

Definition sum (f : St -> R) (l : list St) : R := fold_right (fun s v => f s + v) 0 l.

(* No choice of one action in each of some distinct states has rewards that sum to zero. *)
Definition no_zero_sum : Prop :=
  forall (choice : St -> Ac) (l : list St), l <> [] -> NoDup l -> sum (fun s => r s (choice s)) l <> 0.

Lemma distinct_front (l l' : list St) : NoDup (l ++ l') -> NoDup l.
Proof.
  induction l as [|x l IH]; intros ND; constructor; inversion ND as [|? ? I ND']; auto.
  intros Hx. apply I, in_or_app. left. exact Hx.
Qed.

Section Solution.
Variables (T : transitions) (q : table St Ac).
Hypothesis solved : bellman_1 T q.

(* The greedy policy goes through the states of l, the last first, and then to s. *)
Fixpoint trail (l : list St) (s : St) : Prop := match l with [] => True | x :: l' => T x (greedy q x) = Some s /\ trail l' x end.

Lemma trail_sum l y l' s : trail (l ++ y :: l') s ->
  sum (fun x => r x (greedy q x)) (l ++ [y]) = V q (Some y) - V q (Some s).
Proof.
  revert s. induction l as [|x l IH]; intros s [E C].
  - simpl app. unfold sum, fold_right. rewrite (V_greedy q y), (solved y (greedy q y)), E. lra.
  - simpl app. change (sum ?f (?a :: ?b)) with (f a + sum f b). rewrite (IH x C).
    rewrite (V_greedy q x), (solved x (greedy q x)), E. lra.
Qed.

(* It cannot come back to a state, so that it ends, with V as its sum of rewards. *)
Lemma greedy_terminates : no_zero_sum -> forall n l s, (length l + n > length (members St))%nat -> NoDup l -> trail l s ->
  terminating T s (greedy q s) (V q (Some s)).
Proof.
  intros Z. induction n as [|n IH]; intros l s Hn ND C.
  - exfalso. pose proof (NoDup_incl_length ND (fun x _ => every_member x)). lia.
  - destruct (in_dec same s l) as [I|I].
    + exfalso. destruct (in_split _ _ I) as [l1 [l2 ->]]. apply (Z (greedy q) (l1 ++ [s])).
      * destruct l1; discriminate.
      * apply (distinct_front (l1 ++ [s]) l2). rewrite <- app_assoc. exact ND.
      * rewrite (trail_sum _ _ _ _ C). lra.
    + rewrite (V_greedy q s), (solved s (greedy q s)). destruct (T s (greedy q s)) as [s'|] eqn:E.
      * apply (step T s _ s' (greedy q s') _ E). apply (IH (s :: l)); [simpl; lia|constructor; assumption|split; assumption].
      * simpl. rewrite Rplus_0_r. apply last, E.
Qed.

Lemma sums_below s a v : terminating T s a v -> v <= q s a.
Proof.
  induction 1 as [s a E|s a s' a' v E _ IH]; rewrite (solved s a), E; simpl; [lra|].
  apply Rplus_le_compat_l. eapply Rle_trans; [exact IH|apply (V_ge q s' a')].
Qed.

Lemma attained : no_zero_sum -> forall s a, terminating T s a (q s a).
Proof.
  intros Z s a. rewrite (solved s a). destruct (T s a) as [s'|] eqn:E; [|simpl; rewrite Rplus_0_r; apply last, E].
  apply (step T s a s' (greedy q s') _ E).
  apply (greedy_terminates Z (S (length (members St))) []); [simpl; lia|constructor|exact I].
Qed.

End Solution.

(* Without a zero sum, a solution of the Bellman optimality equation is q-star, which is finite and attained by a terminating path. *)
Theorem undiscounted_solution_is_qstar : no_zero_sum -> forall T q, bellman_1 T q -> qstar_1 T q /\ forall s a, terminating T s a (q s a).
Proof.
  intros Z T q B. pose proof (attained T q B Z) as A. split; [|exact A]. intros s a. split.
  - intros v Hv. apply (sums_below T q B s a v Hv).
  - intros b Hb. apply Hb, A.
Qed.

(* Without a zero sum, the Bellman optimality equation has at most one solution. *)
Theorem undiscounted_unique : no_zero_sum -> forall T q q', bellman_1 T q -> bellman_1 T q' -> q = q'.
Proof.
  intros Z T q q' B B'. extensionality s. extensionality a.
  apply Rle_antisym; [apply (sums_below T q' B')|apply (sums_below T q B)]; apply attained; assumption.
Qed.

(* ---- the test is exact ---- *)

Section Cycle.
Variable choice : St -> Ac.
Notation earned := (fun s => r s (choice s)).

(* A path through the states of l, from each to the next and from the last to e; what is earned from s to its end, where w is left. *)
Fixpoint onward (e : St) (l : list St) (s : St) : St :=
  match l with [] => e | x :: l' => if same s x then hd e l' else onward e l' s end.
Fixpoint to_the_end (w : R) (l : list St) (s : St) : R :=
  match l with [] => w | x :: l' => if same s x then sum earned l + w else to_the_end w l' s end.

Lemma to_the_end_step e w l s : NoDup l -> In s l ->
  (onward e l s = e /\ to_the_end w l s = earned s + w) \/
  (In (onward e l s) l /\ to_the_end w l s = earned s + to_the_end w l (onward e l s)).
Proof.
  induction 1 as [|x l Hx N IH]; [intros []|]. intros I. simpl. destruct (same s x) as [->|D].
  - destruct l as [|z l]; simpl in *; [left; split; [reflexivity|ring]|]. right. split; [auto|].
    destruct (same z x) as [->|]; [destruct Hx; auto|]. destruct (same z z); [|congruence]. ring.
  - destruct IH as [IH|[J IH]]; [destruct I; [congruence|assumption]|left; exact IH|].
    right. split; [right; exact J|]. destruct (same (onward e l s) x) as [E|]; [destruct Hx; rewrite <- E; exact J|exact IH].
Qed.

Lemma to_the_end_plus w l s : In s l -> to_the_end w l s = to_the_end 0 l s + w.
Proof.
  induction l as [|x l IH]; [intros []|]. intros I. simpl. destruct (same s x) as [->|D]; [ring|].
  apply IH. destruct I; [congruence|assumption].
Qed.

Lemma two_solutions x0 l : NoDup (x0 :: l) -> sum earned (x0 :: l) = 0 -> exists T q q', bellman_1 T q /\ bellman_1 T q' /\ q <> q'.
Proof.
  intros N Z. set (k := x0 :: l) in *.
  set (T s a := if in_dec same s k then if same a (choice s) then Some (onward x0 k s) else None else None).
  set (q w s a := if in_dec same s k then if same a (choice s) then to_the_end w k s else r s a else r s a).
  destruct (bounded (fun s a => r s a - to_the_end 0 k s)) as [d [Hd B]].
  assert (at0 : forall w, to_the_end w k x0 = w).
  { intros w. unfold k. cbn [to_the_end]. destruct (same x0 x0); [|congruence]. fold k. rewrite Z. ring. }
  assert (Vq : forall w s, d <= w -> In s k -> V (q w) (Some s) = to_the_end w k s).
  { intros w s Hw I. apply (maximum_is _ _ (choice s)); unfold q; destruct (in_dec same s k); try contradiction.
    - intros a. destruct (same a (choice s)); [apply Rle_refl|]. rewrite to_the_end_plus by exact I.
      pose proof (B s a) as Bs. apply abs_le in Bs. lra.
    - destruct (same (choice s) (choice s)); congruence. }
  assert (S : forall w, d <= w -> bellman_1 T (q w)).
  { intros w Hw s a. unfold bellman_1_at. unfold q at 1. unfold T. destruct (in_dec same s k) as [I|]; [|simpl; ring].
    destruct (same a (choice s)) as [->|]; [|simpl; ring].
    destruct (to_the_end_step x0 w k s N I) as [[E F]|[J F]]; rewrite F, Vq; try assumption; try reflexivity.
    - rewrite E, at0. reflexivity.
    - rewrite E. left. reflexivity. }
  exists T, (q d), (q (d + 1)). split; [apply S; lra|split; [apply S; lra|]]. intros E.
  assert (F : q d x0 (choice x0) = q (d + 1) x0 (choice x0)) by (rewrite E; reflexivity).
  unfold q in F. destruct (in_dec same x0 k) as [|X]; [|apply X; left; reflexivity].
  destruct (same (choice x0) (choice x0)); [|congruence]. rewrite !at0 in F. lra.
Qed.

End Cycle.

(* The zero-sum test is exact: the Bellman optimality equation of every map has at most one solution exactly if no choice sums to zero. *)
Theorem zero_sum_test_is_exact : (forall T q q', bellman_1 T q -> bellman_1 T q' -> q = q') <-> no_zero_sum.
Proof.
  split; [|exact undiscounted_unique]. intros U choice [|x0 l] NE N Z; [congruence|].
  destruct (two_solutions choice x0 l N Z) as [T [q [q' [B [B' D]]]]]. apply D, (U T q q' B B').
Qed.

(* Part 1 at discount 1: always. *)
Theorem undiscounted_part1 M D q : H_M_1 M D q -> H_B_1 M D q.
Proof.
  intros [T [HT [X Q]]]. split; [exists T; auto|]. intros s a x Hx. rewrite <- (X s a x Hx). apply undiscounted_bellman, Q.
Qed.

(* The closure criterion at discount 1, with zero sums or without: equality for every functional D exactly if every map that is consistent
   with a q in H_Q is in M and has that q-star. *)
Theorem undiscounted_closure M :
  (forall T' q, H_Q_1 M q -> bellman_1 T' q -> M T' /\ qstar_1 T' q) <->
  (forall D q, functional D -> H_M_1 M D q <-> H_B_1 M D q).
Proof.
  split.
  - intros C D q F. split; [apply undiscounted_part1|]. intros [[T [HT Q]] B]. exists (paste D T).
    destruct (C (paste D T) q) as [MP QP]; [exists T; auto| |].
    + intros s a. revert s a. apply (paste_keeps (bellman_1_at q)); [exact B|apply undiscounted_bellman, Q].
    + split; [exact MP|split; [apply paste_extends, F|exact QP]].
  - intros Eq T' q Q B.
    destruct (proj2 (Eq (graph T') q ltac:(intros s a x y; rewrite !in_graph; congruence))) as [T [HT [X QT]]].
    + split; [exact Q|]. intros s a x. rewrite in_graph. intros ->. apply B.
    + replace T' with T; [auto|]. extensionality s. extensionality a. apply X, in_graph. reflexivity.
Qed.

(* Part 3 at discount 1: without a zero sum, for the class of all maps with finite q-star and every functional dataset. *)
Theorem undiscounted_part3 : no_zero_sum -> forall D q, functional D ->
  H_M_1 (fun T => exists p, qstar_1 T p) D q <-> H_B_1 (fun T => exists p, qstar_1 T p) D q.
Proof.
  intros Z. apply undiscounted_closure. intros T q _ B.
  destruct (undiscounted_solution_is_qstar Z T q B) as [Q _]. split; [exists q|]; exact Q.
Qed.

(* The exchange criterion at discount 1, with zero sums or without. *)
Theorem undiscounted_exchange M :
  (forall T0 q, M T0 -> H_Q_1 M q ->
     exists T, M T /\ qstar_1 T q /\ forall s a, bellman_1_at q s a (T0 s a) -> T s a = T0 s a) <->
  (forall D q, realizable_data M D -> H_M_1 M D q <-> H_B_1 M D q).
Proof.
  split.
  - intros X D q [T0 [M0 E0]]. split; [apply undiscounted_part1|]. intros [Q B].
    destruct (X T0 q M0 Q) as [T [HT [QT A]]]. exists T. split; [exact HT|split; [|exact QT]].
    intros s a x Hx. rewrite A; [apply E0, Hx|]. rewrite (E0 s a x Hx). apply B, Hx.
  - intros Eq T0 q M0 Q.
    set (D := filter (fun '(s, a, x) => if Req_EM_T (q s a) (r s a + V q x) then true else false) (graph T0)).
    assert (HD : forall s a x, In (s, a, x) D <-> x = T0 s a /\ bellman_1_at q s a x).
    { intros s a x. unfold D, bellman_1_at. rewrite filter_In, in_graph.
      destruct (Req_EM_T (q s a) (r s a + V q x)); intuition congruence. }
    destruct (proj2 (Eq D q ltac:(exists T0; split; [exact M0|intros s a x; rewrite HD; intros [-> _]; reflexivity]))) as [T [HT [X QT]]].
    + split; [exact Q|]. intros s a x. rewrite HD. tauto.
    + exists T. split; [exact HT|split; [exact QT|]]. intros s a C. apply X, HD. auto.
Qed.

End Undiscounted.

(* With a zero sum part 3 can fail: one state, actions with rewards -1 and 0, and the transition that leads by the second back to it. *)
Theorem zero_sum_breaks_part3 :
  let r (_ : unit) (a : bool) := if a then 0 else -1 in
  let M (T : model unit bool (option unit)) := exists p, qstar_1 r T p in
  exists q, H_B_1 r M [(tt, true, Some tt)] q /\ ~ H_M_1 r M [(tt, true, Some tt)] q.
Proof.
  intros r M. exists r.
  assert (Vr : V r (Some tt) = 0) by (apply (maximum_is _ _ true); [intros []|]; simpl; lra).
  assert (Q : qstar_1 r (fun _ _ => None) r).
  { intros s a. split.
    - intros v Hv. destruct Hv; [apply Rle_refl|discriminate].
    - intros b Hb. apply Hb, last. reflexivity. }
  split; [split|].
  - exists (fun _ _ => None). split; [exists r|]; exact Q.
  - intros s a x [E|[]]. injection E as <- <- <-. unfold bellman_1_at. rewrite Vr. simpl. lra.
  - intros [T [_ [X QT]]]. specialize (X tt true (Some tt) (or_introl eq_refl)).
    assert (L : forall s a v, terminating r T s a v -> v <= -1).
    { induction 1 as [[] [] E|[] [] s' a' v E _ IH]; simpl in *; try congruence; lra. }
    pose proof (proj2 (QT tt true) (-1) (fun v Hv => L tt true v Hv)). simpl in *. lra.
Qed.
