(* How much more a model can know: with one transition, as much more as one likes. *)

Require Import Reals Lra Lia List.
From Mbgen Require Import Finite Bellman Datasets Deterministic Counting.
Import ListNotations.
Open Scope R_scope.

Section Star.
Context {X : Type} `{Finite X} (g : R) (g01 : 0 < g < 1).

(* A centre, None, and a state for each member of X; one action, and every step costs 1. Under the model of x the centre and x lead to one
   another, and all other states to the end; under that of None the centre leads to itself. *)
Definition star (x : option X) : model (option X) unit (option (option X)) :=
  fun s _ => match s with None => Some x | Some y => if same (Some y) x then Some None else None end.
Definition stars T : Prop := exists x, T = star x.
Definition each_step_costs (s : option X) (a : unit) : R := -1.
Definition seen : dataset (option X) unit (option (option X)) := [(None, tt, Some None)].

Definition star_value (x : option X) : table (option X) unit :=
  fun s _ => match s with None => -1 / (1 - g) | Some y => if same (Some y) x then -1 / (1 - g) else -1 end.

Lemma star_value_at x : star_value x x tt = -1 / (1 - g).
Proof. destruct x as [x|]; [|reflexivity]. unfold star_value. destruct (same (Some x) (Some x)); congruence. Qed.

Lemma centre_value x : V (star_value x) (Some None) = -1 / (1 - g).
Proof. apply (maximum_is _ _ tt); intros; simpl; lra. Qed.

Lemma star_solves x : qstar each_step_costs g (star x) (star_value x).
Proof.
  apply (qstar_bellman _ g g01). assert (F : -1 / (1 - g) = -1 + g * (-1 / (1 - g))) by (field; lra).
  intros [y|] []; unfold bellman_at, each_step_costs; unfold star, star_value at 1.
  - destruct (same (Some y) x); [rewrite centre_value; exact F|simpl; lra].
  - assert (E : V (star_value x) (Some x) = -1 / (1 - g)); [|rewrite E; exact F].
    apply (maximum_is _ _ tt); [intros []|]; rewrite star_value_at; lra.
Qed.

Lemma star_value_tells x y : star_value x = star_value y -> x = y.
Proof.
  intros E. assert (F : -1 / (1 - g) <> -1).
  { intros F. assert (G : -1 / (1 - g) * (1 - g) = -1) by (field; lra). rewrite F in G. lra. }
  assert (A : forall x y, star_value (Some x) = star_value y -> Some x = y).
  { intros x' y' E'. apply (f_equal (fun q => q (Some x') tt)) in E'. unfold star_value in E'.
    destruct (same (Some x') (Some x')); [|congruence]. destruct (same (Some x') y'); [assumption|contradiction]. }
  destruct x as [x|]; [apply A, E|]. destruct y as [y|]; [symmetry; apply A; symmetry; exact E|reflexivity].
Qed.

Lemma star_counts :
  counts (H_M each_step_costs g stars seen) 1 /\ counts (H_B each_step_costs g stars seen) (S (size X)).
Proof.
  split.
  - exists [star_value None]. split; [repeat constructor; intros []|split; [|reflexivity]]. intros q. split.
    + intros [<-|[]]. exists (star None). split; [exists None; reflexivity|split; [|apply star_solves]].
      intros s a x [E|[]]. injection E as <- <- <-. reflexivity.
    + intros [T [[x ->] [A Q]]]. left. apply (qstar_unique each_step_costs g g01 (star x)); [|exact Q].
      specialize (A None tt (Some None) (or_introl eq_refl)). simpl in A. injection A as ->. apply star_solves.
  - exists (map star_value (members (option X))). split; [|split].
    + apply distinct_map; [exact star_value_tells|apply each_once].
    + intros q. rewrite in_map_iff. split.
      * intros [x [<- _]]. split; [exists (star x); split; [exists x; reflexivity|apply star_solves]|].
        intros s a y [E|[]]. injection E as <- <- <-. unfold bellman_at. rewrite centre_value. unfold star_value, each_step_costs. field. lra.
      * intros [[T [[x ->] Q]] _]. exists x. split; [|apply every_member].
        apply (qstar_unique each_step_costs g g01 (star x)); [apply star_solves|exact Q].
    + simpl. rewrite !map_length. reflexivity.
Qed.

End Star.

Fixpoint numbered (n : nat) : Type := match n with O => unit | S n' => option (numbered n') end.
#[export] Instance finite_numbered n : Finite (numbered n).
Proof. induction n; simpl; typeclasses eauto. Defined.

Lemma size_numbered n : size (numbered n) = S n.
Proof. unfold size. induction n as [|n IH]; [reflexivity|]. simpl in *. rewrite map_length, IH. reflexivity. Qed.

(* The gap has no bound: for every n and discount there is a class, with n + 2 states and one action, in which one transition leaves one q to
   the models and n + 2 to the Bellman equation. *)
Theorem gap_has_no_bound n g : 0 < g < 1 ->
  exists (St : Type) (_ : Finite St) (r : St -> unit -> R) (M : model St unit (option St) -> Prop) (D : dataset St unit (option St)),
    size St = (n + 2)%nat /\ length D = 1%nat /\ realizable_data M D /\ functional D /\
    counts (H_M r g M D) 1 /\ counts (H_B r g M D) (n + 2).
Proof.
  intros g01. exists (option (numbered n)), finite_option, each_step_costs, stars, seen.
  assert (E : size (option (numbered n)) = (n + 2)%nat) by (pose proof (size_numbered (S n)); simpl in *; lia).
  split; [exact E|split; [reflexivity|split; [|split]]].
  - exists (star None). split; [exists None; reflexivity|]. intros s a x [F|[]]. injection F as <- <- <-. reflexivity.
  - intros s a x y [F|[]] [G|[]]. congruence.
  - replace (n + 2)%nat with (S (size (numbered n))) by (rewrite size_numbered; lia). apply star_counts, g01.
Qed.
