(* Certificates of a strict inclusion one level up: models of options, with laws and rewards that are rational, and evidence. *)

Require Import QArith Qreals Reals Lra List Bool FunctionalExtensionality.
From Mbgen Require Import Finite Bellman Returns VersionSpaces Witnesses Certificate Instances.
Import ListNotations.
Open Scope R_scope.

Record evidence_certificate (St Ac Op : Type) := EvidenceCertificate {
  e_reward : St -> Ac -> Op -> Q;
  e_next : Op -> list (Q * option St);
  e_discount : Q;
  e_class : list (model St Ac Op * (St -> Ac -> Q));          (* each model with its q-star *)
  e_allows : St -> Ac -> Op -> bool;
  e_truth : model St Ac Op;                                   (* a model that the evidence allows *)
  e_q : St -> Ac -> Q;                                        (* left to H_B, not to H_M *)
  e_decision : list (St * Ac) }.
Arguments e_reward {St Ac Op}.
Arguments e_next {St Ac Op}.
Arguments e_discount {St Ac Op}.
Arguments e_class {St Ac Op}.
Arguments e_allows {St Ac Op}.
Arguments e_truth {St Ac Op}.
Arguments e_q {St Ac Op}.
Arguments e_decision {St Ac Op}.

Section EvidenceCertificate.
Context {St Ac Op : Type} `{Finite St} `{Finite Ac} `{Finite Op} (c : evidence_certificate St Ac Op).
Implicit Types (q : St -> Ac -> Q) (T : model St Ac Op) (e : model St Ac Op * (St -> Ac -> Q)).

(* ---- the check ---- *)

Fixpoint rational_mass (l : list (Q * option St)) : Q := match l with [] => 0 | (w, _) :: l' => w + rational_mass l' end.
Fixpoint rational_mean (f : option St -> Q) (l : list (Q * option St)) : Q :=
  match l with [] => 0 | (w, x) :: l' => w * f x + rational_mean f l' end.

Definition lawful (l : list (Q * option St)) : bool := forallb (fun '(w, _) => Qle_bool 0 w) l && Qle_bool (rational_mass l) 1.
Definition solves_with q s a o : bool :=
  Qeq_bool (q s a) (e_reward c s a o + e_discount c * rational_mean (value q) (e_next c o)).
Definition solves_own e : bool := everywhere (fun s a => solves_with (snd e) s a (fst e s a)).
Definition is_allowed T : bool := everywhere (fun s a => e_allows c s a (T s a)).
Definition meets_evidence q : bool := everywhere (fun s a => existsb (fun o => e_allows c s a o && solves_with q s a o) (members Op)).
Definition is_model T T' : bool := everywhere (fun s a => if same (T s a) (T' s a) then true else false).
Definition left_to_models q : bool := existsb (fun e => is_allowed (fst e) && equal (snd e) q) (e_class c).
Definition settles_action s a : bool :=
  forallb (fun e => implb (is_allowed (fst e)) (best_at (snd e) s a)) (e_class c) &&
  negb (existsb (fun b => forallb (fun e => implb (meets_evidence (snd e)) (best_at (snd e) s b)) (e_class c)) (members Ac)).

Definition verified_evidence : bool :=
  negb (Qle_bool (e_discount c) 0) && negb (Qle_bool 1 (e_discount c)) &&
  forallb (fun o => lawful (e_next c o)) (members Op) &&
  forallb solves_own (e_class c) &&
  existsb (fun e => is_model (fst e) (e_truth c)) (e_class c) && is_allowed (e_truth c) &&
  existsb (fun e => equal (snd e) (e_q c)) (e_class c) && meets_evidence (e_q c) && negb (left_to_models (e_q c)) &&
  forallb (fun '(s, a) => settles_action s a) (e_decision c).

(* ---- what is claimed ---- *)

Definition real_law (l : list (Q * option St)) : law St := map (fun '(w, x) => (Q2R w, x)) l.
Definition models_listed T : Prop := In T (map fst (e_class c)).
Definition allows : evidence St Ac Op := fun s a o => e_allows c s a o = true.

(* The problem P is that of the certificate. *)
Definition certified (P : problem St Ac Op) : Prop :=
  (forall s a o, reward P s a o = Q2R (e_reward c s a o)) /\ (forall o, next P o = real_law (e_next c o)) /\
  discount P = Q2R (e_discount c).

Definition evidence_claims (P : problem St Ac Op) : Prop :=
  realizable models_listed allows /\
  (forall f, HM P models_listed allows f -> HB P models_listed allows f) /\
  HB P models_listed allows (real (e_q c)) /\ ~ HM P models_listed allows (real (e_q c)) /\
  forall s a, In (s, a) (e_decision c) ->
    (forall f, HM P models_listed allows f -> optimal_action f s a) /\
    ~ exists b, forall f, HB P models_listed allows f -> optimal_action f s b.

(* ---- that the check decides what it should ---- *)

Lemma lawful_spec l : lawful l = true -> is_law (real_law l).
Proof.
  unfold lawful. intros A. apply andb_true_iff in A. destruct A as [A B]. rewrite forallb_forall in A. split.
  - intros w x I. unfold real_law in I. rewrite in_map_iff in I. destruct I as [[w' x'] [E I]]. injection E as <- <-.
    specialize (A _ I). simpl in A. apply Qle_bool_spec in A. rewrite RMicromega.Q2R_0 in A. exact A.
  - apply Qle_bool_spec in B. rewrite RMicromega.Q2R_1 in B. eapply Rle_trans; [|exact B]. apply Req_le. clear.
    induction l as [|[w x] l IH]; simpl; [symmetry; apply RMicromega.Q2R_0|]. rewrite Q2R_plus, <- IH. reflexivity.
Qed.

Section Checked.
Variable P : problem St Ac Op.
Hypothesis same_problem : certified P.
Hypothesis solved : forallb solves_own (e_class c) = true.

Lemma solves_with_spec q s a o : solves_with q s a o = true <-> real q s a = backup P (real q) s a o.
Proof.
  destruct same_problem as [Er [En Ed]]. unfold solves_with, backup. rewrite Qeq_bool_spec, Q2R_plus, Q2R_mult, Er, En, Ed.
  replace (Q2R (rational_mean (value q) (e_next c o))) with (mean (V (real q)) (real_law (e_next c o))); [reflexivity|].
  induction (e_next c o) as [|[w x] l IH]; simpl; [symmetry; apply RMicromega.Q2R_0|].
  rewrite Q2R_plus, Q2R_mult, value_spec, IH. reflexivity.
Qed.

Lemma listed_optimal T q : In (T, q) (e_class c) -> optimal P T (real q).
Proof.
  intros I. apply optimal_bellman. rewrite forallb_forall in solved. specialize (solved _ I). unfold solves_own in solved.
  rewrite everywhere_spec in solved. intros s a. apply solves_with_spec, solved.
Qed.

Lemma listed_spec T : models_listed T <-> exists q, In (T, q) (e_class c).
Proof.
  unfold models_listed. rewrite in_map_iff. split.
  - intros [[T' q] [E I]]. simpl in E. subst T'. eauto.
  - intros [q I]. exists (T, q). auto.
Qed.

Lemma is_allowed_spec T : is_allowed T = true <-> allowed T allows.
Proof. apply everywhere_spec. Qed.

Lemma meets_evidence_spec q : meets_evidence q = true <-> forall s a, exists o, allows s a o /\ real q s a = backup P (real q) s a o.
Proof.
  unfold meets_evidence. rewrite everywhere_spec. split; intros A s a; specialize (A s a).
  - apply existsb_exists in A. destruct A as [o [_ A]]. apply andb_true_iff in A. exists o. split; [apply A|apply solves_with_spec, A].
  - destruct A as [o [A B]]. apply existsb_exists. exists o. split; [apply every_member|]. apply andb_true_iff.
    split; [exact A|apply solves_with_spec, B].
Qed.

Lemma same_optimal T f f' : optimal P T f -> optimal P T f' -> f = f'.
Proof. intros F F'. extensionality s. extensionality a. apply (optimal_unique P T f f' F F'). Qed.

Lemma HM_listed f : HM P models_listed allows f <-> exists T q, In (T, q) (e_class c) /\ is_allowed T = true /\ f = real q.
Proof.
  split.
  - intros [T [HT [A F]]]. apply listed_spec in HT. destruct HT as [q I]. exists T, q. rewrite is_allowed_spec.
    repeat split; auto. apply (same_optimal T); [exact F|apply listed_optimal, I].
  - intros [T [q [I [A ->]]]]. exists T. split; [apply listed_spec; eauto|split; [apply is_allowed_spec, A|apply listed_optimal, I]].
Qed.

Lemma HB_listed f : HB P models_listed allows f <-> exists T q, In (T, q) (e_class c) /\ meets_evidence q = true /\ f = real q.
Proof.
  split.
  - intros [[T [HT F]] B]. apply listed_spec in HT. destruct HT as [q I]. exists T, q.
    assert (E : f = real q) by (apply (same_optimal T); [exact F|apply listed_optimal, I]).
    repeat split; auto. apply meets_evidence_spec. rewrite <- E. exact B.
  - intros [T [q [I [A ->]]]]. split; [exists T; split; [apply listed_spec; eauto|apply listed_optimal, I]|apply meets_evidence_spec, A].
Qed.

Lemma left_to_models_spec q : left_to_models q = true <-> HM P models_listed allows (real q).
Proof.
  unfold left_to_models. rewrite existsb_exists, HM_listed. split.
  - intros [[T q'] [I A]]. apply andb_true_iff in A. destruct A as [A B]. apply equal_spec in B. exists T, q'. auto.
  - intros [T [q' [I [A B]]]]. exists (T, q'). split; [exact I|]. apply andb_true_iff. split; [exact A|apply equal_spec; auto].
Qed.

Lemma settles_action_holds s a : settles_action s a = true ->
  (forall f, HM P models_listed allows f -> optimal_action f s a) /\
  ~ exists b, forall f, HB P models_listed allows f -> optimal_action f s b.
Proof.
  unfold settles_action. intros A. apply andb_true_iff in A. destruct A as [A N]. rewrite forallb_forall in A. split.
  - intros f F. apply HM_listed in F. destruct F as [T [q [I [B ->]]]]. specialize (A _ I).
    rewrite implb_spec in A. apply best_at_spec, A, B.
  - intros [b B]. apply negb_true_iff, not_true_iff_false in N. apply N, existsb_exists. exists b. split; [apply every_member|].
    apply forallb_forall. intros [T q] I. apply implb_spec. intros M. apply best_at_spec, B, HB_listed. eauto.
Qed.

End Checked.

(* What passes the check for evidence is so: the certificate describes a problem, and its claims hold there. *)
Theorem verified_evidence_certificate_holds : verified_evidence = true -> exists P : problem St Ac Op, certified P /\ evidence_claims P.
Proof.
  unfold verified_evidence. rewrite !andb_true_iff, !negb_true_iff, <- !not_true_iff_false.
  intros [[[[[[[[[above0 below1] laws] solved] truth] allowed0] known] meets] not_left] decides].
  assert (g01 : 0 < Q2R (e_discount c) < 1).
  { rewrite Qle_bool_spec, RMicromega.Q2R_0 in above0. rewrite Qle_bool_spec, RMicromega.Q2R_1 in below1. lra. }
  assert (lawful_next : forall o, is_law (real_law (e_next c o))).
  { intros o. rewrite forallb_forall in laws. apply lawful_spec, laws, every_member. }
  set (P := {| reward := fun s a o => Q2R (e_reward c s a o); next := fun o => real_law (e_next c o); discount := Q2R (e_discount c);
               next_law := lawful_next; discount_range := g01 |}).
  assert (same_problem : certified P) by (split; [|split]; reflexivity).
  exists P. split; [exact same_problem|]. split; [|split; [|split; [|split]]].
  - apply existsb_exists in truth. destruct truth as [[T q] [I E]]. exists (e_truth c). split; [|apply is_allowed_spec, allowed0].
    apply listed_spec. exists q. unfold is_model in E. rewrite everywhere_spec in E.
    replace (e_truth c) with T; [exact I|]. extensionality s. extensionality a. specialize (E s a).
    simpl in E. destruct (same (T s a) (e_truth c s a)); [assumption|discriminate].
  - intros f. apply part1.
  - apply existsb_exists in known. destruct known as [[T q] [I E]]. apply equal_spec in E. simpl in E. apply (HB_listed P same_problem solved).
    exists T, q. split; [exact I|split; [|symmetry; exact E]]. apply (meets_evidence_spec P same_problem). rewrite E.
    apply (meets_evidence_spec P same_problem), meets.
  - rewrite <- (left_to_models_spec P same_problem solved). exact not_left.
  - intros s a I. rewrite forallb_forall in decides. apply (settles_action_holds P same_problem solved), (decides (s, a) I).
Qed.

End EvidenceCertificate.

(* ---- the check at work ---- *)

#[export] Instance finite_coin : Finite coin.
Proof.
  refine {| members := [FalseOrEnd; TrueOrEnd; FalseOrLikelyEnd]; default := FalseOrEnd |};
    [intros []; simpl; auto|repeat constructor; simpl; intuition discriminate|decide equality].
Defined.

(* The stochastic witness of Instances.v at discount 1/2. *)
Definition coin_certificate (left : bool -> unit -> Q) : evidence_certificate bool unit coin :=
  let q0 (s : bool) (_ : unit) := if s then (-7 # 6)%Q else (-4 # 3)%Q in
  let q1 (_ : bool) (_ : unit) := (-4 # 3)%Q in
  {| e_reward := fun _ _ _ => (-1)%Q;
     e_next := fun c => match c with
                        | FalseOrEnd => [(1 # 2, Some false); (1 # 2, None)]
                        | TrueOrEnd => [(1 # 2, Some true); (1 # 2, None)]
                        | FalseOrLikelyEnd => [(1 # 4, Some false); (3 # 4, None)]
                        end;
     e_discount := 1 # 2;
     e_class := [(C0, q0); (C1, q1)];
     e_allows := fun (s : bool) _ c => if s then true else match c with FalseOrEnd => true | _ => false end;
     e_truth := C0;
     e_q := left;
     e_decision := [] |}.

(* By computation alone: the check passes with the q that the evidence leaves to H_B alone, and refuses the q of the true model. *)
Theorem evidence_check_computes :
  verified_evidence (coin_certificate (fun _ _ => (-4 # 3)%Q)) = true /\
  verified_evidence (coin_certificate (fun s _ => if s then (-7 # 6)%Q else (-4 # 3)%Q)) = false.
Proof. vm_compute. split; reflexivity. Qed.
