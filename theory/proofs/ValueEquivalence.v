(* Value equivalence, as in MuZero (Grimm and others, 2020): models that need not predict the next state, only rewards and, under their own
   q-star, values. Unrolled along the observed actions for up to K steps, they stand between H_M and H_B, and for K = 1 at H_B. *)

Require Import Reals Lra List.
From Mbgen Require Import Finite Bellman Datasets Deterministic.
Import ListNotations.
Open Scope R_scope.

Section ValueEquivalence.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (r : St -> Ac -> R) (g : R) (g01 : 0 < g < 1).
Notation transitions := (model St Ac (option St)).
Implicit Types (q : table St Ac) (T : transitions) (M : transitions -> Prop).

(* A trajectory: its first state, and then each action with the state that it led to. *)
Definition trajectory := (option St * list (Ac * option St))%type.

(* Only the last state of a trajectory can be the terminal one. *)
Fixpoint goes_on (s : option St) (steps : list (Ac * option St)) : Prop :=
  match steps with [] => True | (_, y) :: rest => s <> None /\ goes_on y rest end.

(* Its transitions. *)
Fixpoint observed (s : option St) (steps : list (Ac * option St)) : dataset St Ac (option St) :=
  match steps, s with (a, y) :: rest, Some s' => (s', a, y) :: observed y rest | _, _ => [] end.

(* From x the model takes the observed actions for up to K steps: it earns the rewards that were observed, and after each step the state
   that it imagines has the value of the one that was observed. *)
Fixpoint unrolls T q (K : nat) (x s : option St) (steps : list (Ac * option St)) : Prop :=
  match K, steps with
  | S K', (a, y) :: rest =>
      match x, s with
      | Some x', Some s' => r x' a = r s' a /\ V q (T x' a) = V q y /\ unrolls T q K' (T x' a) y rest
      | _, _ => False
      end
  | _, _ => True
  end.

(* The same from every observed state on. *)
Fixpoint equivalent T q K (s : option St) (steps : list (Ac * option St)) : Prop :=
  unrolls T q K s s steps /\ match steps with [] => True | (_, y) :: rest => equivalent T q K y rest end.

Definition H_VE M K (data : list trajectory) q : Prop :=
  exists T, M T /\ qstar r g T q /\ forall s steps, In (s, steps) data -> equivalent T q K s steps.

Definition all_observed (data : list trajectory) : dataset St Ac (option St) := flat_map (fun '(s, steps) => observed s steps) data.

Lemma unrolls_own_path T q K : forall s steps, goes_on s steps -> extends T (observed s steps) -> unrolls T q K s s steps.
Proof.
  induction K as [|K IH]; intros s [|[a y] rest]; simpl; trivial. intros [N W] X.
  destruct s as [s|]; [|congruence]. assert (E : T s a = y) by (apply X; left; reflexivity). rewrite E.
  split; [reflexivity|split; [reflexivity|]]. apply IH; [exact W|]. intros s' a' x I. apply X. right. exact I.
Qed.

Lemma equivalent_own_path T q K steps : forall s, goes_on s steps -> extends T (observed s steps) -> equivalent T q K s steps.
Proof.
  induction steps as [|[a y] rest IH]; intros s W X; (split; [apply unrolls_own_path; assumption|]); trivial.
  destruct W as [N W]. apply IH; [exact W|]. intros s' a' x I. apply X. destruct s; [right; exact I|congruence].
Qed.

Lemma unrolls_fewer T q K : forall x s steps, unrolls T q (S K) x s steps -> unrolls T q K x s steps.
Proof.
  induction K as [|K IH]; intros x s [|[a y] rest]; try exact (fun _ => I).
  destruct x as [x|], s as [s|]; try exact (fun F => F).
  intros [E [F U]]. split; [exact E|split; [exact F|apply IH, U]].
Qed.

Lemma equivalent_fewer T q K steps : forall s, equivalent T q (S K) s steps -> equivalent T q K s steps.
Proof.
  induction steps as [|[a y] rest IH]; intros s [U E]; (split; [apply unrolls_fewer, U|]); [trivial|apply IH, E].
Qed.

Lemma equivalent_one T q steps : forall s, goes_on s steps ->
  (equivalent T q 1 s steps <-> forall s' a x, In (s', a, x) (observed s steps) -> V q (T s' a) = V q x).
Proof.
  induction steps as [|[a y] rest IH]; intros s W.
  - simpl. split; [|auto]. intros _ s' a x. destruct s; intros [].
  - destruct W as [N W]. destruct s as [s|]; [|congruence]. specialize (IH y W). simpl in *. split.
    + intros [[_ [E _]] F] s' a' x [G|G]; [injection G as <- <- <-; exact E|apply IH; assumption].
    + intros E. split; [split; [reflexivity|split; [apply E; left; reflexivity|trivial]]|].
      apply IH. intros s' a' x I. apply E. right. exact I.
Qed.

(* Trained one step ahead, value-equivalent models leave exactly what the Bellman equation leaves. *)
Theorem value_equivalence_is_bellman M data q : (forall s steps, In (s, steps) data -> goes_on s steps) ->
  H_VE M 1 data q <-> H_B r g M (all_observed data) q.
Proof.
  intros W. split.
  - intros [T [HT [Q E]]]. split; [exists T; auto|]. intros s a x Hx. unfold all_observed in Hx. rewrite in_flat_map in Hx.
    destruct Hx as [[s0 steps] [I Hx]]. pose proof (proj1 (equivalent_one T q steps s0 (W _ _ I)) (E _ _ I) s a x Hx) as F.
    pose proof (proj1 (qstar_bellman r g g01 T q) Q s a) as B. unfold bellman_at in *. rewrite <- F. exact B.
  - intros [[T [HT Q]] B]. exists T. split; [assumption|split; [assumption|]]. intros s0 steps I.
    apply equivalent_one; [apply W, I|]. intros s a x Hx.
    pose proof (proj1 (qstar_bellman r g g01 T q) Q s a) as B'.
    specialize (B s a x (proj2 (in_flat_map _ _ _) (ex_intro _ (s0, steps) (conj I Hx)))). unfold bellman_at in *.
    apply (Rmult_eq_reg_l g); lra.
Qed.

(* Between the two: H_M is within H_VE for every K, and unrolling further leaves less. *)
Theorem value_equivalence_chain M data q K : (forall s steps, In (s, steps) data -> goes_on s steps) ->
  (H_M r g M (all_observed data) q -> H_VE M K data q) /\ (H_VE M (S K) data q -> H_VE M K data q).
Proof.
  intros W. split.
  - intros [T [HT [X Q]]]. exists T. split; [exact HT|split; [exact Q|]]. intros s steps I. apply equivalent_own_path; [apply W, I|].
    intros s' a x Hx. apply X, in_flat_map. exists (s, steps). auto.
  - intros [T [HT [Q E]]]. exists T. split; [exact HT|split; [exact Q|]]. intros s steps I. apply equivalent_fewer, E, I.
Qed.

End ValueEquivalence.
