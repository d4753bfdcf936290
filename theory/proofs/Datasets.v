(* Theorem 1 for datasets of exact transitions: (s, a, o) says that the option at the pair (s, a) is o. In the paper an option is a
   successor; with unknown rewards it is a reward and a successor. *)

Require Import Reals Lra List FunctionalExtensionality.
From Mbgen Require Import Finite Bellman Returns VersionSpaces.
Import ListNotations.
Open Scope R_scope.

Definition dataset (St Ac Op : Type) := list (St * Ac * Op).

Section Data.
Context {St Ac Op : Type} `{Finite St} `{Finite Ac}.
Implicit Types (T : model St Ac Op) (D : dataset St Ac Op).

Definition extends T D : Prop := forall s a o, In (s, a, o) D -> T s a = o.
Definition functional D : Prop := forall s a o o', In (s, a, o) D -> In (s, a, o') D -> o = o'.

Lemma observed_or_not D s a : {o | In (s, a, o) D} + {forall o, ~ In (s, a, o) D}.
Proof.
  induction D as [|[[s' a'] o] D [[o' Ho]|N]]; [right; intros o []|left; exists o'; right; exact Ho|].
  destruct (same s' s) as [<-|Hs]; [destruct (same a' a) as [<-|Ha]|]; [left; exists o; left; reflexivity| |];
    (right; intros o' [E|E]; [congruence|apply (N o' E)]).
Qed.

(* What D says where it says something, and T elsewhere. *)
Definition paste D T : model St Ac Op := fun s a => match observed_or_not D s a with inleft o => proj1_sig o | inright _ => T s a end.

Lemma paste_extends D T : functional D -> extends (paste D T) D.
Proof.
  intros F s a o Ho. unfold paste. destruct (observed_or_not D s a) as [[o' Ho']|N]; [|destruct (N o Ho)].
  apply (F s a); assumption.
Qed.

Lemma paste_keeps (Q : St -> Ac -> Op -> Prop) D T :
  (forall s a o, In (s, a, o) D -> Q s a o) -> (forall s a, Q s a (T s a)) -> forall s a, Q s a (paste D T s a).
Proof. intros QD QT s a. unfold paste. destruct (observed_or_not D s a) as [[o Ho]|N]; [apply QD, Ho|apply QT]. Qed.

(* All transitions of T. *)
Definition graph T : dataset St Ac Op := map (fun '(s, a) => (s, a, T s a)) (members (St * Ac)).

Lemma in_graph T s a o : In (s, a, o) (graph T) <-> o = T s a.
Proof.
  unfold graph. rewrite in_map_iff. split.
  - intros [[s' a'] [E _]]. congruence.
  - intros ->. exists (s, a). split; [reflexivity|apply every_member].
Qed.

End Data.

Section Datasets.
Context {St Ac Op : Type} `{Finite St} `{Finite Ac} (P : problem St Ac Op).
Implicit Types (q : table St Ac) (T : model St Ac Op) (M : model St Ac Op -> Prop) (D : dataset St Ac Op).

Definition consistent q D : Prop := forall s a o, In (s, a, o) D -> q s a = backup P q s a o.
Definition realizable_data M D : Prop := exists T, M T /\ extends T D.

Definition HM_data M D q : Prop := exists T, M T /\ extends T D /\ optimal P T q.
Definition HB_data M D q : Prop := HQ P M q /\ consistent q D.

(* Part 1 for any class and any dataset, functional or not. *)
Theorem part1_data M D q : HM_data M D q -> HB_data M D q.
Proof.
  intros [T [HT [X Q]]]. split; [exists T; auto|]. intros s a o Ho. rewrite <- (X s a o Ho). apply optimal_bellman, Q.
Qed.

(* More data leave less, to either. *)
Theorem monotone_data M D D' q : (forall t, In t D -> In t D') -> (HM_data M D' q -> HM_data M D q) /\ (HB_data M D' q -> HB_data M D q).
Proof.
  intros I. split; [intros [T [HT [X Q]]]; exists T; repeat split; auto; try apply Q|intros [Q C]; split; [exact Q|]];
    intros s a o Ho; [apply X|apply C]; apply I, Ho.
Qed.

Variable possible : evidence St Ac Op.
Definition possible_data D : Prop := forall s a o, In (s, a, o) D -> possible s a o.

(* The evidence that a dataset is: what was observed, and all that is possible where nothing was. *)
Definition as_evidence D : evidence St Ac Op := fun s a o => possible s a o /\ forall o', In (s, a, o') D -> o = o'.

(* A functional dataset is evidence: it leaves the same to either as the evidence does. *)
Theorem functional_data_is_evidence M D q : (forall T, M T -> allowed T possible) -> functional D -> possible_data D ->
  (HM_data M D q <-> HM P M (as_evidence D) q) /\ (HB_data M D q <-> HB P M (as_evidence D) q).
Proof.
  intros Mp F W. split; split.
  - intros [T [HT [X Q]]]. exists T. repeat split; try assumption; try apply Q; [apply Mp, HT|apply X].
  - intros [T [HT [X Q]]]. exists T. repeat split; try assumption; try apply Q. intros s a. apply X.
  - intros [[T [HT Q]] C]. split; [exists T; auto|]. intros s a. exists (paste D T s a). split; [split|].
    + apply (paste_keeps possible); [exact W|apply Mp, HT].
    + apply paste_extends, F.
    + revert s a. apply (paste_keeps (fun s a o => q s a = backup P q s a o)); [exact C|apply optimal_bellman, Q].
  - intros [Q B]. split; [exact Q|]. intros s a o Ho. destruct (B s a) as [o' [[_ A] E]]. rewrite <- (A o Ho). exact E.
Qed.

Lemma closed_equal_data M D q : (forall T, M T -> allowed T possible) -> closed P possible M -> functional D -> possible_data D ->
  HM_data M D q <-> HB_data M D q.
Proof.
  intros Mp C F W. destruct (functional_data_is_evidence M D q Mp F W) as [-> ->].
  apply (closed_equal P possible); [exact C|]. intros s a o A. apply A.
Qed.

(* Part 3: for the class of all possible models, H_M(D) = H_B(D) for every functional dataset. *)
Theorem part3_data D q : functional D -> possible_data D ->
  HM_data (every_possible_model possible) D q <-> HB_data (every_possible_model possible) D q.
Proof. apply closed_equal_data; [intros T A; exact A|]. intros T T' p _ _ _ A. exact A. Qed.

(* The closure criterion for datasets: equality for every functional D exactly if the class is closed under q-star-equivalence. *)
Theorem closure_criterion_data M : (forall T, M T -> allowed T possible) ->
  closed P possible M <-> forall D q, functional D -> possible_data D -> HM_data M D q <-> HB_data M D q.
Proof.
  intros Mp. split; [intros C D q; apply closed_equal_data; assumption|]. intros Eq T T' q HT Hq Hq' A.
  destruct (proj2 (Eq (graph T') q ltac:(intros s a x y; rewrite !in_graph; congruence)
                                   ltac:(intros s a x; rewrite in_graph; intros ->; apply A))) as [T2 [H2 [X _]]].
  - split; [exists T; auto|]. intros s a o. rewrite in_graph. intros ->. apply optimal_bellman, Hq'.
  - replace T' with T2; [exact H2|]. extensionality s. extensionality a. apply X, in_graph. reflexivity.
Qed.

(* The criterion for arbitrary datasets: equality for every D, functional or not, exactly if the class is closed and no q-star of it is
   consistent with two options of one pair. *)
Theorem arbitrary_criterion M : (forall T, M T -> allowed T possible) ->
  closed P possible M /\ (forall q s a o o', HQ P M q -> possible s a o -> possible s a o' ->
                            q s a = backup P q s a o -> q s a = backup P q s a o' -> o = o') <->
  forall D q, possible_data D -> HM_data M D q <-> HB_data M D q.
Proof.
  intros Mp. split.
  - intros [C S] D q W. split; [apply part1_data|]. intros [Q B].
    apply (closed_equal_data M D q Mp C); [|exact W|split; assumption].
    intros s a o o' Ho Ho'. apply (S q s a); auto.
  - intros Eq. split; [apply closure_criterion_data; auto|]. intros q s a o o' Q po po' B B'.
    destruct (proj2 (Eq [(s, a, o); (s, a, o')] q ltac:(intros x y z [E|[E|[]]]; congruence))) as [T [_ [X _]]].
    + split; [exact Q|]. intros x y z [E|[E|[]]]; congruence.
    + transitivity (T s a); [symmetry|]; apply X; simpl; auto.
Qed.

(* For every T0 in M and q-star of M some model that has it agrees with T0 wherever T0 satisfies its Bellman equation. *)
Definition exchange M : Prop := forall T0 q, M T0 -> HQ P M q ->
  exists T, M T /\ optimal P T q /\ forall s a, q s a = backup P q s a (T0 s a) -> T s a = T0 s a.

Definition consistent_part q T : dataset St Ac Op :=
  filter (fun '(s, a, o) => if Req_EM_T (q s a) (backup P q s a o) then true else false) (graph T).

Lemma in_consistent_part q T s a o : In (s, a, o) (consistent_part q T) <-> o = T s a /\ q s a = backup P q s a o.
Proof.
  unfold consistent_part. rewrite filter_In, in_graph. destruct (Req_EM_T (q s a) (backup P q s a o)); intuition congruence.
Qed.

(* The exchange criterion for datasets: equality for every realizable D exactly if M has the exchange property. *)
Theorem exchange_criterion_data M : exchange M <-> forall D q, realizable_data M D -> HM_data M D q <-> HB_data M D q.
Proof.
  split.
  - intros X D q [T0 [H0' E0]]. split; [apply part1_data|]. intros [Q B].
    destruct (X T0 q H0' Q) as [T [HT [QT A]]]. exists T. repeat split; auto; try apply QT.
    intros s a o Ho. rewrite A; [apply E0, Ho|]. rewrite (E0 s a o Ho). apply B, Ho.
  - intros Eq T0 q H0' Q.
    destruct (proj2 (Eq (consistent_part q T0) q ltac:(exists T0; split; [assumption|];
      intros s a o; rewrite in_consistent_part; intros [-> _]; reflexivity))) as [T [HT [X QT]]].
    + split; [assumption|]. intros s a o. rewrite in_consistent_part. tauto.
    + exists T. repeat split; auto; try apply QT. intros s a C. apply X. rewrite in_consistent_part. auto.
Qed.

(* Witnesses are hitting sets: a part X of T0 has q-star in H_B but not in H_M exactly if T0 is consistent with q-star on X, and every model
   of M that has q-star differs from T0 somewhere on X. So the smallest X are the minimum hitting sets of these differences. *)
Theorem witness_is_hitting_set M T0 q X : HQ P M q -> (forall t, In t X -> In t (graph T0)) ->
  HB_data M X q /\ ~ HM_data M X q <->
  (forall t, In t X -> In t (consistent_part q T0)) /\
  (forall T, M T -> optimal P T q -> ~ forall s a o, In (s, a, o) X -> T s a = T0 s a).
Proof.
  intros Q G. assert (G' : forall s a o, In (s, a, o) X -> o = T0 s a) by (intros s a o Ho; apply in_graph, G, Ho).
  split.
  - intros [[_ C] N]. split.
    + intros [[s a] o] Ho. apply in_consistent_part. auto.
    + intros T HT QT A. apply N. exists T. repeat split; auto; try apply QT.
      intros s a o Ho. rewrite (G' s a o Ho). apply (A s a o Ho).
  - intros [C A]. split; [split; [exact Q|]|].
    + intros s a o Ho. apply (in_consistent_part q T0), C, Ho.
    + intros [T [HT [E QT]]]. apply (A T HT QT). intros s a o Ho. rewrite (E s a o Ho). apply G', Ho.
Qed.

(* A dataset that observes every pair leaves the same to both: what is not observed is where a model can know more. *)
Theorem full_data_agree M D q : realizable_data M D -> (forall s a, exists o, In (s, a, o) D) -> HM_data M D q <-> HB_data M D q.
Proof.
  intros [T [HT X]] All. split; [apply part1_data|]. intros [_ B]. exists T. split; [exact HT|split; [exact X|]].
  apply optimal_bellman. intros s a. destruct (All s a) as [o Ho]. rewrite (X s a o Ho). apply B, Ho.
Qed.

(* So with one state and one action no realizable dataset is a witness, whatever the options are. *)
Theorem one_pair_is_not_enough M D q : (forall p p' : St * Ac, p = p') -> realizable_data M D -> HB_data M D q -> HM_data M D q.
Proof.
  intros One R B. destruct D as [|[[s a] o] D'] eqn:E.
  - destruct B as [[T [HT Q]] _]. exists T. split; [exact HT|split; [intros s a o []|exact Q]].
  - rewrite <- E in *. apply full_data_agree; [exact R| |exact B]. intros s' a'. exists o. rewrite E. left.
    specialize (One (s, a) (s', a')). congruence.
Qed.

(* ---- datasets that are not functional ---- *)

(* Two options of one pair agree with no model at all. The H_B of datasets asks for an equation with each of them, and may be left with some
   q-star. *)
Theorem contradictory_data_leave_no_model M D q : ~ functional D -> ~ HM_data M D q.
Proof.
  intros N [T [_ [X _]]]. apply N. intros s a o o' Ho Ho'. rewrite <- (X s a o Ho). apply X, Ho'.
Qed.

(* Taken as evidence, they leave nothing to either: no option is both. *)
Theorem contradictory_evidence_leaves_nothing M D q : ~ functional D -> ~ HM P M (as_evidence D) q /\ ~ HB P M (as_evidence D) q.
Proof.
  intros N. assert (B : ~ HB P M (as_evidence D) q).
  { intros [_ B]. apply N. intros s a o o' Ho Ho'. destruct (B s a) as [o2 [[_ A] _]]. rewrite <- (A o Ho). apply A, Ho'. }
  split; [intros F; apply B, part1, F|exact B].
Qed.

(* ---- how small a witness can be ---- *)

(* H_M(D) is a proper subset of H_B(D). *)
Definition proper M D : Prop := (forall q, HM_data M D q -> HB_data M D q) /\ exists q, HB_data M D q /\ ~ HM_data M D q.

Lemma mean_times (f : option St -> R) k l : mean (fun x => k * f x) l = k * mean f l.
Proof. induction l as [|[w x] l IH]; simpl; [|rewrite IH]; ring. Qed.

(* With known rewards, and options that differ in their laws, one state is not enough: no realizable dataset is a witness. *)
Theorem one_state_is_not_enough (r : St -> Ac -> R) M D q :
  (forall s a o, reward P s a o = r s a) ->
  (forall o o', (forall f, f None = 0 -> mean f (next P o) = mean f (next P o')) -> o = o') ->
  (forall s : St, s = default) -> realizable_data M D -> HB_data M D q -> HM_data M D q.
Proof.
  intros known distinct One [T [MT X]] [[T' [MT' Q]] B]. pose proof (proj1 (optimal_bellman P T' q) Q) as Q'.
  assert (Vx : forall f : option St -> R, f None = 0 -> forall x, V q (Some default) * f x = f (Some default) * V q x).
  { intros f f0 [x|]; [rewrite (One x); apply Rmult_comm|rewrite f0; simpl; ring]. }
  destruct (Req_EM_T (V q (Some default)) 0) as [Z|Z].
  - assert (V0 : forall x, V q x = 0) by (intros [x|]; [rewrite (One x); exact Z|reflexivity]).
    exists T. split; [exact MT|split; [exact X|]]. apply optimal_bellman. intros s a. rewrite (Q' s a) at 1.
    unfold backup. rewrite !known, !(mean_ext (V q) (fun _ => 0)) by exact V0. rewrite !mean_zero. reflexivity.
  - exists T'. split; [exact MT'|split; [|exact Q]].
    intros s a o Ho. specialize (B s a o Ho). specialize (Q' s a). unfold backup in *. rewrite known in *.
    pose proof (discount_range P).
    assert (E : mean (V q) (next P (T' s a)) = mean (V q) (next P o)) by (apply (Rmult_eq_reg_l (discount P)); lra).
    apply distinct. intros f f0. apply (Rmult_eq_reg_l (V q (Some default))); [|exact Z].
    rewrite <- !mean_times, !(mean_ext _ _ _ (Vx f f0)), !mean_times, E. reflexivity.
Qed.

(* Nor is one model, or no transition: a realizable witness has two models and a transition, whatever the options are. *)
Theorem two_models_and_a_transition M D q : realizable_data M D -> HB_data M D q -> ~ HM_data M D q ->
  (exists T T', M T /\ M T' /\ T <> T') /\ D <> [].
Proof.
  intros [T [MT X]] [[T' [MT' Q]] B] N. assert (N' : ~ extends T' D) by (intros X'; apply N; exists T'; auto). split.
  - exists T, T'. repeat split; try assumption. intros ->. contradiction.
  - intros ->. apply N'. intros s a x [].
Qed.

End Datasets.
