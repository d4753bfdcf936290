(* Certificates of part 2: a check that computes, in rational numbers and over finite lists, and a proof that it passes what is so, and
   nothing else.

   The check is that of the verifier in Python (docs/certificate.md), with one difference. There the q-star of each model is computed by
   policy iteration, which stops at a solution of the Bellman equation; here the certificate brings a table for each model, and it is
   checked to be a solution. *)

Require Import QArith Qreals Reals Lra Lia List Bool FunctionalExtensionality.
From Mbgen Require Import Finite Bellman Datasets Deterministic Witnesses.
Import ListNotations.
Open Scope R_scope.

Record certificate (St Ac : Type) := Certificate {
  rewards : St -> Ac -> Q;
  gamma : Q;
  class : list (model St Ac (option St) * (St -> Ac -> Q));   (* each model with its q-star *)
  T_0 : model St Ac (option St);
  q_0 : St -> Ac -> Q;
  T_1 : model St Ac (option St);
  q_1 : St -> Ac -> Q;
  data : dataset St Ac (option St);
  decision : list (St * Ac);                                  (* empty where none is claimed *)
  smallest : bool }.
Arguments rewards {St Ac}.
Arguments gamma {St Ac}.
Arguments class {St Ac}.
Arguments T_0 {St Ac}.
Arguments q_0 {St Ac}.
Arguments T_1 {St Ac}.
Arguments q_1 {St Ac}.
Arguments data {St Ac}.
Arguments decision {St Ac}.
Arguments smallest {St Ac}.

(* All parts of a list that have at most n members. *)
Fixpoint parts {X} (n : nat) (l : list X) : list (list X) :=
  match l, n with
  | [], _ | _, O => [[]]
  | x :: l', S n' => map (cons x) (parts n' l') ++ parts n l'
  end.

Definition is_empty {X} (l : list X) : bool := match l with [] => true | _ => false end.

Section Certificate.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (c : certificate St Ac).
Notation transitions := (model St Ac (option St)).
Notation D := (data c).
Implicit Types (T : transitions) (q : St -> Ac -> Q) (E : dataset St Ac (option St)) (e : transitions * (St -> Ac -> Q)).

(* ---- the check ---- *)

Fixpoint largest_over (f : Ac -> Q) (l : list Ac) : Q :=
  match l with [] => f default | a :: l' => let m := largest_over f l' in if Qle_bool m (f a) then f a else m end.

Definition value q (x : option St) : Q := match x with None => 0 | Some s => largest_over (q s) (members Ac) end.
Definition meets q s a x : bool := Qeq_bool (q s a) (rewards c s a + gamma c * value q x).
Definition everywhere (b : St -> Ac -> bool) : bool := forallb (fun '(s, a) => b s a) (members (St * Ac)).
Definition somewhere (b : St -> Ac -> bool) : bool := existsb (fun '(s, a) => b s a) (members (St * Ac)).
Definition solves e : bool := everywhere (fun s a => meets (snd e) s a (fst e s a)).
Definition equal q q' : bool := everywhere (fun s a => Qeq_bool (q s a) (q' s a)).
Definition is (T T' : transitions) : bool := everywhere (fun s a => if same (T s a) (T' s a) then true else false).
Definition agrees T E : bool := forallb (fun '(s, a, x) => if same (T s a) x then true else false) E.
Definition meets_all q E : bool := forallb (fun '(s, a, x) => meets q s a x) E.
Definition best_at q s a : bool := forallb (fun b => Qle_bool (q s b) (q s a)) (members Ac).

Definition some_model (b : transitions -> (St -> Ac -> Q) -> bool) : bool := existsb (fun e => b (fst e) (snd e)) (class c).
Definition all_models (b : transitions -> (St -> Ac -> Q) -> bool) : bool := forallb (fun e => b (fst e) (snd e)) (class c).

Definition in_HM E q : bool := some_model (fun T q' => agrees T E && equal q' q).
Definition gap E : bool := some_model (fun _ q => meets_all q E && negb (in_HM E q)).
Definition settles E s a : bool :=
  all_models (fun T q => implb (agrees T E) (best_at q s a)) &&
  negb (existsb (fun b => all_models (fun _ q => implb (meets_all q E) (best_at q s b))) (members Ac)).
Definition does_as_much E : bool := if is_empty (decision c) then gap E else somewhere (settles E).

(* The smaller datasets that are tried; the empty one needs no trial. *)
Definition trials : list (dataset St Ac (option St)) :=
  filter (fun E => negb (is_empty E)) (flat_map (fun e => parts (length D - 1) (graph (fst e))) (class c)).

Definition verified : bool :=
  negb (Qle_bool (gamma c) 0) && negb (Qle_bool 1 (gamma c)) &&
  forallb solves (class c) &&
  some_model (fun T q => is T (T_0 c) && equal q (q_0 c)) &&
  some_model (fun T q => is T (T_1 c) && equal q (q_1 c)) &&
  agrees (T_0 c) D && meets_all (q_1 c) D && negb (in_HM D (q_1 c)) &&
  forallb (fun '(s, a) => settles D s a) (decision c) &&
  implb (smallest c) (forallb (fun E => negb (does_as_much E)) trials).

(* ---- what is claimed ---- *)

Definition real q : table St Ac := fun s a => Q2R (q s a).
Definition M T : Prop := In T (map fst (class c)).
Notation r := (real (rewards c)).
Notation g := (Q2R (gamma c)).

Definition as_much E : Prop :=
  match decision c with [] => proper_inclusion r g M E | _ => exists s a, settled r g M E s a end.

Definition claims : Prop :=
  (M (T_0 c) /\ qstar r g (T_0 c) (real (q_0 c)) /\ extends (T_0 c) D /\ functional D) /\
  (M (T_1 c) /\ qstar r g (T_1 c) (real (q_1 c)) /\ H_B r g M D (real (q_1 c)) /\ ~ H_M r g M D (real (q_1 c))) /\
  proper_inclusion r g M D /\
  (forall s a, In (s, a) (decision c) -> settled r g M D s a) /\
  (smallest c = true -> forall E, realizable_data M E -> (length E < length D)%nat -> ~ as_much E).

(* ---- that the check decides what it should ---- *)

Lemma everywhere_spec b : everywhere b = true <-> forall s a, b s a = true.
Proof.
  unfold everywhere. rewrite forallb_forall. split.
  - intros A s a. apply (A (s, a)), every_member.
  - intros A [s a] _. apply A.
Qed.

Lemma somewhere_spec b : somewhere b = true <-> exists s a, b s a = true.
Proof.
  unfold somewhere. rewrite existsb_exists. split.
  - intros [[s a] [_ B]]. eauto.
  - intros [s [a B]]. exists (s, a). split; [apply every_member|exact B].
Qed.

Lemma Qeq_bool_spec x y : Qeq_bool x y = true <-> Q2R x = Q2R y.
Proof. rewrite Qeq_bool_iff. split; [apply Qeq_eqR|apply eqR_Qeq]. Qed.

Lemma Qle_bool_spec x y : Qle_bool x y = true <-> Q2R x <= Q2R y.
Proof. rewrite Qle_bool_iff. split; [apply Qle_Rle|apply Rle_Qle]. Qed.

Lemma value_spec q x : Q2R (value q x) = V (real q) x.
Proof.
  destruct x as [s|]; [|apply RMicromega.Q2R_0]. simpl. unfold maximum.
  induction (members Ac) as [|a l IH]; [reflexivity|]. simpl. rewrite <- IH. unfold Rmax, real.
  destruct (Qle_bool (largest_over (q s) l) (q s a)) eqn:B, (Rle_dec (Q2R (q s a)) (Q2R (largest_over (q s) l))); try reflexivity.
  - apply Qle_bool_spec in B. lra.
  - assert (~ Q2R (largest_over (q s) l) <= Q2R (q s a)) by (rewrite <- Qle_bool_spec; congruence). lra.
Qed.

Lemma meets_spec q s a x : meets q s a x = true <-> bellman_at r g (real q) s a x.
Proof. unfold meets, bellman_at. rewrite Qeq_bool_spec, Q2R_plus, Q2R_mult, value_spec. reflexivity. Qed.

Lemma equal_spec q q' : equal q q' = true <-> real q = real q'.
Proof.
  unfold equal. rewrite everywhere_spec. split.
  - intros A. extensionality s. extensionality a. apply Qeq_bool_spec, A.
  - intros A s a. apply Qeq_bool_spec. change (real q s a = real q' s a). rewrite A. reflexivity.
Qed.

Lemma same_spec {X} `{Finite X} (x y : X) : (if same x y then true else false) = true <-> x = y.
Proof. destruct (same x y); intuition congruence. Qed.

Lemma is_spec T T' : is T T' = true <-> T = T'.
Proof.
  unfold is. rewrite everywhere_spec. split.
  - intros A. extensionality s. extensionality a. apply same_spec, A.
  - intros -> s a. apply same_spec. reflexivity.
Qed.

Lemma agrees_spec T E : agrees T E = true <-> extends T E.
Proof.
  unfold agrees. rewrite forallb_forall. split.
  - intros A s a x I. apply same_spec, (A (s, a, x) I).
  - intros A [[s a] x] I. apply same_spec, A, I.
Qed.

Lemma meets_all_spec q E : meets_all q E = true <-> forall s a x, In (s, a, x) E -> bellman_at r g (real q) s a x.
Proof.
  unfold meets_all. rewrite forallb_forall. split.
  - intros A s a x I. apply meets_spec, (A (s, a, x) I).
  - intros A [[s a] x] I. apply meets_spec, A, I.
Qed.

Lemma best_at_spec q s a : best_at q s a = true <-> optimal_action (real q) s a.
Proof.
  unfold best_at. rewrite forallb_forall. split.
  - intros A b. apply Qle_bool_spec, A, every_member.
  - intros A b _. apply Qle_bool_spec, A.
Qed.

Lemma some_model_spec b : some_model b = true <-> exists T q, In (T, q) (class c) /\ b T q = true.
Proof.
  unfold some_model. rewrite existsb_exists. split.
  - intros [[T q] [I B]]. eauto.
  - intros [T [q [I B]]]. exists (T, q). auto.
Qed.

Lemma all_models_spec b : all_models b = true <-> forall T q, In (T, q) (class c) -> b T q = true.
Proof.
  unfold all_models. rewrite forallb_forall. split.
  - intros A T q I. apply (A (T, q) I).
  - intros A [T q] I. apply A, I.
Qed.

Lemma implb_spec (x y : bool) : implb x y = true <-> (x = true -> y = true).
Proof. destruct x, y; simpl; intuition congruence. Qed.

Lemma both (A A' B B' : Prop) : (A <-> A') -> (B <-> B') -> (A /\ B <-> A' /\ B').
Proof. tauto. Qed.

Section Solved.
Hypothesis g01 : 0 < g < 1.
Hypothesis solved : forallb solves (class c) = true.

Lemma class_qstar T q : In (T, q) (class c) -> qstar r g T (real q).
Proof.
  intros I. apply (qstar_bellman r g g01). rewrite forallb_forall in solved. specialize (solved _ I).
  unfold solves in solved. rewrite everywhere_spec in solved. intros s a. apply meets_spec, solved.
Qed.

Lemma M_spec T : M T <-> exists q, In (T, q) (class c).
Proof.
  unfold M. rewrite in_map_iff. split.
  - intros [[T' q] [E I]]. simpl in E. subst T'. eauto.
  - intros [q I]. exists (T, q). auto.
Qed.

Lemma H_M_spec E f : H_M r g M E f <-> exists T q, In (T, q) (class c) /\ agrees T E = true /\ f = real q.
Proof.
  split.
  - intros [T [HT [X Q]]]. apply M_spec in HT. destruct HT as [q I]. exists T, q.
    rewrite agrees_spec. repeat split; auto. apply (qstar_unique r g g01 T); [exact Q|apply class_qstar, I].
  - intros [T [q [I [A ->]]]]. exists T. split; [apply M_spec; eauto|split; [apply agrees_spec, A|apply class_qstar, I]].
Qed.

Lemma H_B_spec E f : H_B r g M E f <-> exists T q, In (T, q) (class c) /\ meets_all q E = true /\ f = real q.
Proof.
  split.
  - intros [[T [HT Q]] B]. apply M_spec in HT. destruct HT as [q I]. exists T, q.
    assert (F : f = real q) by (apply (qstar_unique r g g01 T); [exact Q|apply class_qstar, I]).
    repeat split; auto. apply meets_all_spec. rewrite <- F. exact B.
  - intros [T [q [I [A ->]]]]. split; [exists T; split; [apply M_spec; eauto|apply class_qstar, I]|apply meets_all_spec, A].
Qed.

Lemma in_HM_spec E q : in_HM E q = true <-> H_M r g M E (real q).
Proof.
  unfold in_HM. rewrite some_model_spec, H_M_spec. split; intros [T [q' [I A]]]; exists T, q'; split; try exact I.
  - apply andb_true_iff in A. destruct A as [A B]. apply equal_spec in B. auto.
  - destruct A as [A B]. apply andb_true_iff. split; [exact A|apply equal_spec; auto].
Qed.

Lemma gap_spec E : gap E = true <-> proper_inclusion r g M E.
Proof.
  unfold gap, proper_inclusion. rewrite some_model_spec. split.
  - intros [T [q [I A]]]. apply andb_true_iff in A. destruct A as [A B]. apply negb_true_iff in B.
    split; [intros f; apply (theorem1_part1 r g g01)|]. exists (real q). split; [apply H_B_spec; eauto|].
    rewrite <- in_HM_spec, B. discriminate.
  - intros [_ [f [B N]]]. apply H_B_spec in B. destruct B as [T [q [I [A ->]]]]. exists T, q. split; [exact I|].
    rewrite A. apply negb_true_iff, not_true_iff_false. rewrite in_HM_spec. exact N.
Qed.

Lemma settles_spec E s a : settles E s a = true <-> settled r g M E s a.
Proof.
  unfold settles, settled. rewrite andb_true_iff, negb_true_iff, <- not_true_iff_false, existsb_exists, all_models_spec.
  apply both.
  - split.
    + intros A f F. apply H_M_spec in F. destruct F as [T [q [I [B ->]]]]. specialize (A T q I).
      rewrite implb_spec in A. apply best_at_spec, A, B.
    + intros A T q I. apply implb_spec. intros B. apply best_at_spec, A, H_M_spec. eauto.
  - apply not_iff_compat. split; intros [b A]; exists b.
    + intros f F. apply H_B_spec in F. destruct F as [T [q [I [B ->]]]]. destruct A as [_ A]. rewrite all_models_spec in A.
      specialize (A T q I). rewrite implb_spec in A. apply best_at_spec, A, B.
    + split; [apply every_member|]. apply all_models_spec. intros T q I. apply implb_spec. intros B.
      apply best_at_spec, A, H_B_spec. eauto.
Qed.

Lemma does_as_much_spec E : does_as_much E = true <-> as_much E.
Proof.
  unfold does_as_much, as_much. destruct (decision c); simpl; [apply gap_spec|]. rewrite somewhere_spec.
  split; intros [s [a A]]; exists s, a; apply settles_spec, A.
Qed.

(* ---- that the datasets that are tried are enough ---- *)

Lemma in_parts {X} (f : X -> bool) l : forall n, (length (filter f l) <= n)%nat -> In (filter f l) (parts n l).
Proof.
  induction l as [|x l IH]; intros n L; simpl; [left; reflexivity|]. simpl in L.
  destruct (f x); simpl in *; destruct n as [|n]; try (exfalso; lia).
  - apply in_or_app. left. apply in_map, IH. lia.
  - left. destruct (filter f l); [reflexivity|simpl in L; lia].
  - apply in_or_app. right. apply (IH (S n)). lia.
Qed.

Lemma same_members E E' : (forall t, In t E <-> In t E') -> as_much E -> as_much E'.
Proof.
  intros S. assert (S' : forall s a x, In (s, a, x) E <-> In (s, a, x) E') by (intros; apply S).
  assert (HMs : forall f, H_M r g M E f <-> H_M r g M E' f).
  { intros f. split; intros [T [HT [X Q]]]; exists T; split; [|split| |split]; auto; intros s a x I; apply X, S', I. }
  assert (HBs : forall f, H_B r g M E f <-> H_B r g M E' f).
  { intros f. split; intros [Q B]; split; auto; intros s a x I; apply B, S', I. }
  unfold as_much. destruct (decision c).
  - intros [_ [f [B N]]]. split; [intros f'; apply (theorem1_part1 r g g01)|].
    exists f. rewrite <- HMs, <- HBs. auto.
  - intros [s [a [A N]]]. exists s, a. split.
    + intros f F. apply A, HMs, F.
    + intros [b B]. apply N. exists b. intros f F. apply B, HBs, F.
Qed.

(* The empty dataset leaves all of H_Q to both. *)
Lemma empty_is_not_enough : ~ as_much [].
Proof.
  assert (A : forall f, H_B r g M [] f -> H_M r g M [] f).
  { intros f [[T [HT Q]] _]. exists T. split; [exact HT|split; [intros s a x []|exact Q]]. }
  unfold as_much. destruct (decision c).
  - intros [_ [f [B N]]]. apply N, A, B.
  - intros [s [a [B N]]]. apply N. exists a. intros f F. apply B, A, F.
Qed.

Lemma trials_are_enough : forallb (fun E => negb (does_as_much E)) trials = true ->
  forall E, realizable_data M E -> (length E < length D)%nat -> ~ as_much E.
Proof.
  rewrite forallb_forall. intros A E [T [HT X]] L S. pose proof (proj1 (M_spec T) HT) as [q I].
  set (kept t := if in_dec same t E then true else false). set (E' := filter kept (graph T)).
  assert (HE : forall t, In t E <-> In t E').
  { intros [[s a] x]. unfold E', kept. rewrite filter_In, in_graph. destruct (in_dec same (s, a, x) E) as [J|J].
    - split; [intros _; split; [symmetry; apply X, J|reflexivity]|intros _; exact J].
    - split; [intros F; destruct (J F)|intros [_ F]; discriminate]. }
  pose proof (same_members E E' HE S) as S'.
  assert (N : NoDup E').
  { apply NoDup_filter. unfold graph. apply distinct_map; [|apply each_once]. intros [s a] [s' a'] F. congruence. }
  pose proof (NoDup_incl_length N (fun t => proj2 (HE t))).
  destruct E' as [|t E''] eqn:F; [exact (empty_is_not_enough S')|].
  specialize (A E'). rewrite F, <- does_as_much_spec in *. rewrite S' in A. apply diff_false_true, A.
  unfold trials. apply filter_In. split; [|reflexivity]. apply in_flat_map. exists (T, q). split; [exact I|].
  simpl. rewrite <- F. apply in_parts. fold E'. rewrite F. lia.
Qed.

End Solved.

(* A certificate is what it has to be: gamma in range, and a table for each model that is its q-star. *)
Definition well_made : Prop := 0 < g < 1 /\ forall T q, In (T, q) (class c) -> qstar r g T (real q).

Lemma range_spec : negb (Qle_bool (gamma c) 0) && negb (Qle_bool 1 (gamma c)) = true <-> 0 < g < 1.
Proof.
  rewrite andb_true_iff, !negb_true_iff, <- !not_true_iff_false, !Qle_bool_spec, RMicromega.Q2R_0, RMicromega.Q2R_1. lra.
Qed.

Lemma solves_spec : 0 < g < 1 -> (forallb solves (class c) = true <-> forall T q, In (T, q) (class c) -> qstar r g T (real q)).
Proof.
  intros g01. split; [apply class_qstar, g01|]. intros Q. apply forallb_forall. intros [T q] I. apply everywhere_spec.
  intros s a. apply meets_spec. apply (qstar_bellman r g g01 T), Q, I.
Qed.

Lemma in_class_spec : well_made -> forall T q, some_model (fun T' q' => is T' T && equal q' q) = true <-> M T /\ qstar r g T (real q).
Proof.
  intros [g01 W] T q. rewrite some_model_spec. split.
  - intros [T' [q' [I B]]]. apply andb_true_iff in B. destruct B as [B B']. apply is_spec in B. apply equal_spec in B'.
    subst T'. rewrite <- B'. split; [apply M_spec; eauto|apply W, I].
  - intros [HT Q]. apply M_spec in HT. destruct HT as [q' I]. exists T, q'. split; [exact I|]. apply andb_true_iff.
    split; [apply is_spec; reflexivity|]. apply equal_spec. apply (qstar_unique r g g01 T); [apply W, I|exact Q].
Qed.

Lemma parts_are_parts {X} (E l : list X) : forall n, In E (parts n l) -> incl E l /\ (length E <= n)%nat.
Proof.
  revert E. induction l as [|x l IH]; intros E n I; simpl in I.
  - destruct I as [<-|[]]. split; [intros y []|simpl; lia].
  - destruct n as [|n]; [destruct I as [<-|[]]; split; [intros y []|simpl; lia]|].
    apply in_app_or in I. destruct I as [I|I].
    + apply in_map_iff in I. destruct I as [F [<- I]]. destruct (IH F n I) as [A B]. split; [|simpl; lia].
      intros y [<-|J]; [left; reflexivity|right; apply A, J].
    + destruct (IH E (S n) I) as [A B]. split; [intros y J; right; apply A, J|exact B].
Qed.

Lemma trials_spec : well_made -> (forallb (fun E => negb (does_as_much E)) trials = true <->
  forall E, realizable_data M E -> (length E < length D)%nat -> ~ as_much E).
Proof.
  intros [g01 W]. pose proof (proj2 (solves_spec g01) W) as solved. split; [apply trials_are_enough; assumption|].
  intros A. apply forallb_forall. intros E I. apply negb_true_iff, not_true_iff_false. rewrite (does_as_much_spec g01 solved).
  unfold trials in I. apply filter_In in I. destruct I as [I N]. apply in_flat_map in I. destruct I as [[T q] [I J]].
  apply parts_are_parts in J. destruct J as [J L]. apply A.
  - exists T. split; [apply M_spec; eauto|]. intros s a x K. symmetry. apply in_graph, J, K.
  - destruct E as [|t E]; [discriminate|]. simpl in *. lia.
Qed.

(* The check is right, and refuses nothing that is right: a certificate is verified exactly if it is well made and all that it claims holds. *)
Theorem verified_exactly_if_claims_hold : verified = true <-> well_made /\ claims.
Proof.
  unfold verified. rewrite !andb_true_iff, <- andb_true_iff, range_spec.
  split.
  - intros [[[[[[[[g01 solved] is0] is1] agrees0] meets1] not_in_HM] decides] small].
    assert (W : well_made) by (split; [exact g01|apply solves_spec; assumption]). split; [exact W|].
    apply in_class_spec in is0, is1; [|exact W..]. destruct is0 as [M0 Q0], is1 as [M1 Q1].
    rewrite agrees_spec in agrees0. rewrite meets_all_spec in meets1.
    rewrite negb_true_iff, <- not_true_iff_false, (in_HM_spec g01 solved) in not_in_HM.
    assert (B1 : H_B r g M D (real (q_1 c))) by (split; [exists (T_1 c); auto|exact meets1]).
    split; [|split; [|split; [|split]]].
    + split; [exact M0|split; [exact Q0|split; [exact agrees0|]]].
      intros s a x y I J. rewrite <- (agrees0 s a x I). apply agrees0, J.
    + auto.
    + split; [intros f; apply (theorem1_part1 r g g01)|eauto].
    + intros s a I. apply settles_spec; auto. rewrite forallb_forall in decides. apply (decides (s, a) I).
    + intros S. rewrite S in small. apply (trials_spec W), small.
  - intros [W [[M0 [Q0 [X0 _]]] [[M1 [Q1 [B1 N1]]] [_ [decides small]]]]]. pose proof W as [g01 Q].
    pose proof (proj2 (solves_spec g01) Q) as solved.
    refine (conj (conj (conj (conj (conj (conj (conj (conj g01 solved) _) _) _) _) _) _) _).
    + apply in_class_spec; auto.
    + apply in_class_spec; auto.
    + apply agrees_spec, X0.
    + apply meets_all_spec, B1.
    + apply negb_true_iff, not_true_iff_false. rewrite (in_HM_spec g01 solved). exact N1.
    + apply forallb_forall. intros [s a] I. apply settles_spec; auto.
    + apply implb_spec. intros S. apply trials_spec; auto.
Qed.

End Certificate.

(* ---- the check at work ---- *)

(* The deciding witness of Witnesses.v at discount 1/2, as a certificate. *)
Definition deciding_certificate : certificate bool bool :=
  let q0 s a := if andb s a then (-1)%Q else (-2)%Q in
  let q1 s a := if Bool.eqb s a then (-3 # 2)%Q else (-1)%Q in
  {| rewards := fun _ _ => (-1)%Q; gamma := 1 # 2; class := [(U0, q0); (U1, q1)]; T_0 := U0; q_0 := q0; T_1 := U1; q_1 := q1;
     data := one_deciding_transition; decision := [(true, true)]; smallest := true |}.

(* By computation alone: the check passes a right certificate, and refuses it with another decision. *)
Theorem check_computes :
  verified deciding_certificate = true /\
  verified {| rewards := rewards deciding_certificate; gamma := gamma deciding_certificate; class := class deciding_certificate;
              T_0 := T_0 deciding_certificate; q_0 := q_0 deciding_certificate; T_1 := T_1 deciding_certificate;
              q_1 := q_1 deciding_certificate; data := data deciding_certificate; decision := [(false, true)];
              smallest := true |} = false.
Proof. vm_compute. split; reflexivity. Qed.
