(* Theorem 1 for evidence, one level above the paper: a class is any set of models, and evidence allows some options at every pair.

   H_M(E): q-star of the models of M whose options are all allowed.
   H_B(E): the q-star of M for which every pair has an allowed option that satisfies the Bellman equation.
   A dataset of exact transitions is the case that Datasets.v treats: one option where a transition was observed, all elsewhere. *)

Require Import Reals FunctionalExtensionality.
From Mbgen Require Import Finite Bellman Returns.
Open Scope R_scope.

Definition evidence (St Ac Op : Type) := St -> Ac -> Op -> Prop.

Section VersionSpaces.
Context {St Ac Op : Type} `{Finite St} `{Finite Ac} (P : problem St Ac Op).
Implicit Types (q : table St Ac) (T : model St Ac Op) (M : model St Ac Op -> Prop) (E : evidence St Ac Op).

Definition allowed T E : Prop := forall s a, E s a (T s a).
Definition realizable M E : Prop := exists T, M T /\ allowed T E.

Definition HQ M q : Prop := exists T, M T /\ optimal P T q.
Definition HM M E q : Prop := exists T, M T /\ allowed T E /\ optimal P T q.
Definition HB M E q : Prop := HQ M q /\ forall s a, exists o, E s a o /\ q s a = backup P q s a o.

(* Part 1 for any class and any evidence: what is the q-star of an allowed model satisfies the Bellman equation. *)
Theorem part1 M E q : HM M E q -> HB M E q.
Proof.
  intros [T [HT [A B]]]. split; [exists T; auto|]. intros s a. exists (T s a). split; [apply A|apply optimal_bellman, B].
Qed.

(* More evidence leaves less, to either. *)
Theorem monotone M E E' q : (forall s a o, E s a o -> E' s a o) -> (HM M E q -> HM M E' q) /\ (HB M E q -> HB M E' q).
Proof.
  intros I. split.
  - intros [T [HT [A B]]]. exists T. repeat split; auto; try apply B. intros s a. apply I, A.
  - intros [Q B]. split; [exact Q|]. intros s a. destruct (B s a) as [o [Ho Eo]]. exists o. auto.
Qed.

(* What can be at all: the options from which models are made. *)
Variable possible : evidence St Ac Op.
Definition within E : Prop := forall s a o, E s a o -> possible s a o.
Definition every_possible_model T : Prop := allowed T possible.

(* Closed under q-star-equivalence: with T, M holds every possible model that has the same q-star. *)
Definition closed M : Prop := forall T T' q, M T -> optimal P T q -> optimal P T' q -> allowed T' possible -> M T'.

Lemma closed_equal M E q : closed M -> within E -> HM M E q <-> HB M E q.
Proof.
  intros C W. split; [apply part1|]. intros [[T [HT Hq]] B].
  destruct (choose _ T B) as [T' HT']. exists T'.
  assert (Hq' : optimal P T' q) by (apply optimal_bellman; intros s a; apply HT').
  repeat split; [|intros s a; apply HT'|apply Hq' ..]. apply (C T T' q HT Hq Hq'). intros s a. apply W, HT'.
Qed.

(* Part 3 for the class of all possible models, and any evidence that is possible. *)
Theorem part3 E q : within E -> HM every_possible_model E q <-> HB every_possible_model E q.
Proof. apply closed_equal. intros T T' p _ _ _ A. exact A. Qed.

(* The closure criterion, necessary and sufficient: H_M(E) = H_B(E) for all evidence exactly if M is closed under q-star-equivalence. *)
Theorem closure_criterion M : closed M <-> forall E q, within E -> HM M E q <-> HB M E q.
Proof.
  split; [intros C E q; apply closed_equal, C|]. intros Eq T T' q HT Hq Hq' A.
  destruct (proj2 (Eq (fun s a o => o = T' s a) q ltac:(intros s a o ->; apply A))) as [T2 [H2 [X _]]].
  - split; [exists T; auto|]. intros s a. exists (T' s a). split; [reflexivity|apply optimal_bellman, Hq'].
  - replace T' with T2; [exact H2|]. extensionality s. extensionality a. apply X.
Qed.

(* The exchange criterion: equality for all realizable evidence holds exactly if, with T0 in M, a q-star of M and a possible model T' that
   has it, M holds the splice of the two: T0 where that satisfies the Bellman equation of q-star, T' elsewhere. *)
Theorem exchange_criterion M : (forall T, M T -> every_possible_model T) ->
  (forall T0 T' q, M T0 -> HQ M q -> optimal P T' q -> every_possible_model T' ->
     exists T, M T /\ forall s a, (q s a = backup P q s a (T0 s a) -> T s a = T0 s a) /\
                                  (q s a <> backup P q s a (T0 s a) -> T s a = T' s a)) <->
  (forall E q, within E -> realizable M E -> HM M E q <-> HB M E q).
Proof.
  intros Mp. split.
  - intros X E q W [T0 [M0 A0]]. split; [apply part1|]. intros [Q B].
    destruct Q as [T1 [M1 Q1]]. destruct (choose _ T1 B) as [T' HT'].
    assert (Q' : optimal P T' q) by (apply optimal_bellman; intros s a; apply HT').
    destruct (X T0 T' q M0 ltac:(exists T1; auto) Q' ltac:(intros s a; apply W, HT')) as [T [MT S]].
    exists T. split; [exact MT|]. rewrite optimal_bellman.
    split; intros s a; destruct (S s a) as [S1 S2]; destruct (Req_EM_T (q s a) (backup P q s a (T0 s a))) as [e|e];
      [rewrite S1 by exact e; apply A0|rewrite S2 by exact e; apply HT'|rewrite S1 by exact e; exact e|
       rewrite S2 by exact e; apply HT'].
  - intros Eq T0 T' q M0 Q Q' P'.
    set (E s a o := o = T0 s a \/ (q s a <> backup P q s a (T0 s a) /\ o = T' s a)).
    destruct (proj2 (Eq E q ltac:(intros s a o [->|[_ ->]]; [apply Mp, M0|apply P'])
                          ltac:(exists T0; split; [exact M0|intros s a; left; reflexivity]))) as [T [MT [A QT]]].
    + split; [exact Q|]. intros s a. destruct (Req_EM_T (q s a) (backup P q s a (T0 s a))) as [e|e].
      * exists (T0 s a). split; [left; reflexivity|exact e].
      * exists (T' s a). split; [right; auto|apply optimal_bellman, Q'].
    + exists T. split; [exact MT|]. intros s a. pose proof (proj1 (optimal_bellman P T q) QT s a) as F.
      destruct (A s a) as [e|[e1 e2]]; [rewrite e in *|]; split; intros; try assumption; try reflexivity; congruence.
Qed.

End VersionSpaces.
