(* Finite sets: maxima over them, bounds, and finitely many choices. *)

Require Import Reals List.
Import ListNotations.
Open Scope R_scope.

(* A finite set, not empty: a list of all members, each once, and equality decided. *)
Class Finite (X : Type) := {
  members : list X;
  every_member : forall x, In x members;
  each_once : NoDup members;
  same : forall x y : X, {x = y} + {x <> y};
  default : X }.
Arguments members X {_}.
Arguments each_once X {_}.
Arguments same {X _} : simpl never.

Section Maximum.
Context {X : Type} `{Finite X}.
Implicit Types f h : X -> R.

Fixpoint maximum_over f (l : list X) : R :=
  match l with [] => f default | x :: l' => Rmax (f x) (maximum_over f l') end.

Definition maximum f : R := maximum_over f (members X).

Lemma maximum_over_attained f l : {x | maximum_over f l = f x}.
Proof.
  induction l as [|y l [x IH]]; simpl; [exists default; reflexivity|].
  unfold Rmax; destruct (Rle_dec (f y) (maximum_over f l)); [exists x|exists y]; auto.
Qed.

(* Where the maximum is attained. *)
Definition best f : X := proj1_sig (maximum_over_attained f (members X)).

Lemma maximum_best f : maximum f = f (best f).
Proof. unfold maximum, best. apply (proj2_sig (maximum_over_attained f (members X))). Qed.

Lemma maximum_ge f x : f x <= maximum f.
Proof.
  unfold maximum. pose proof (every_member x) as Hx. induction (members X) as [|y l IH]; [destruct Hx|].
  simpl. destruct Hx as [->|Hx]; [apply Rmax_l|]. eapply Rle_trans; [apply IH, Hx|apply Rmax_r].
Qed.

Lemma maximum_le f m : (forall x, f x <= m) -> maximum f <= m.
Proof. intros Hm. rewrite maximum_best. apply Hm. Qed.

Lemma maximum_is f m x : (forall y, f y <= m) -> f x = m -> maximum f = m.
Proof. intros Hm <-. apply Rle_antisym; [apply maximum_le, Hm|apply maximum_ge]. Qed.

Lemma maximum_ext f h : (forall x, f x = h x) -> maximum f = maximum h.
Proof. intros E. apply Rle_antisym; apply maximum_le; intros x; [rewrite E|rewrite <- E]; apply maximum_ge. Qed.

End Maximum.

Lemma one_or_two {X : Type} `{Finite X} : (forall x : X, x = default) \/ exists x y : X, x <> y.
Proof.
  destruct (Exists_dec (fun x : X => x <> default) (members X)) as [E|E].
  - intros x. destruct (same x default); [right|left]; tauto.
  - right. apply Exists_exists in E. destruct E as [x [_ E]]. exists x, default. exact E.
  - left. intros x. destruct (same x default) as [|F]; [assumption|]. destruct E. apply Exists_exists. exists x.
    split; [apply every_member|exact F].
Qed.

(* A table is bounded. *)
Lemma bounded {X Y : Type} `{Finite X} `{Finite Y} (f : X -> Y -> R) : exists d, 0 <= d /\ forall x y, Rabs (f x y) <= d.
Proof.
  exists (Rabs (maximum (fun x => maximum (fun y => Rabs (f x y))))). split; [apply Rabs_pos|]. intros x y.
  eapply Rle_trans; [|apply Rle_abs]. eapply Rle_trans; [|apply (maximum_ge _ x)]. simpl.
  apply (maximum_ge (fun y => Rabs (f x y))).
Qed.

(* Finitely many choices, one for each pair. *)
Lemma choose {X Y Z : Type} `{Finite X} `{Finite Y} (P : X -> Y -> Z -> Prop) (f : X -> Y -> Z) :
  (forall x y, exists z, P x y z) -> exists f', forall x y, P x y (f' x y).
Proof.
  intros C.
  assert (L : forall l : list (X * Y), exists f', forall x y, In (x, y) l -> P x y (f' x y)).
  { induction l as [|[x y] l [f' IH]]; [exists f; intros ? ? []|]. destruct (C x y) as [z Hz].
    exists (fun x' y' => if same x x' then if same y y' then z else f' x' y' else f' x' y').
    intros x' y' D. destruct (same x x') as [<-|Hx]; [destruct (same y y') as [<-|Hy]|]; [exact Hz| |];
      (destruct D as [D|D]; [congruence|apply IH, D]). }
  destruct (L (list_prod (members X) (members Y))) as [f' Hf']. exists f'.
  intros x y. apply Hf', in_prod; apply every_member.
Qed.

#[export] Instance finite_unit : Finite unit.
Proof. refine {| members := [tt]; default := tt |}; [intros []; simpl; auto|repeat constructor; intros []|decide equality]. Defined.

#[export] Instance finite_bool : Finite bool.
Proof.
  refine {| members := [false; true]; default := false |};
    [intros []; simpl; auto|repeat constructor; simpl; intuition discriminate|decide equality].
Defined.

Lemma distinct_map {X Y} (f : X -> Y) l : (forall x y, f x = f y -> x = y) -> NoDup l -> NoDup (map f l).
Proof.
  intros F. induction 1 as [|x l Hx N IH]; simpl; constructor; [|exact IH].
  rewrite in_map_iff. intros [y [E I]]. apply Hx. rewrite <- (F y x E). exact I.
Qed.

#[export] Instance finite_option {X} `{Finite X} : Finite (option X).
Proof.
  refine {| members := None :: map Some (members X); default := None |}.
  - intros [x|]; [right; apply in_map, every_member|left; reflexivity].
  - constructor; [rewrite in_map_iff; intros [x [E _]]; discriminate|]. apply distinct_map; [congruence|apply each_once].
  - intros [x|] [y|]; [destruct (same x y); [left|right]|right|right|left]; congruence.
Defined.

Lemma distinct_app {X} (l k : list X) : NoDup l -> NoDup k -> (forall x, In x l -> ~ In x k) -> NoDup (l ++ k).
Proof.
  induction 1 as [|x l Hx Nl IH]; intros Nk D; [exact Nk|]. simpl. constructor.
  - rewrite in_app_iff. intros [I|I]; [exact (Hx I)|exact (D x (or_introl eq_refl) I)].
  - apply IH; [exact Nk|]. intros y I. apply D. right. exact I.
Qed.

Lemma distinct_prod {X Y} (l : list X) (k : list Y) : NoDup l -> NoDup k -> NoDup (list_prod l k).
Proof.
  intros Nl Nk. induction Nl as [|x l Hx Nl IH]; simpl; [constructor|].
  apply distinct_app; [apply distinct_map; [congruence|exact Nk]|exact IH|].
  intros [x' y] I J. apply in_map_iff in I. destruct I as [y' [E _]]. apply in_prod_iff in J.
  apply Hx. replace x with x' by congruence. apply J.
Qed.

#[export] Instance finite_pair {X Y} `{Finite X} `{Finite Y} : Finite (X * Y).
Proof.
  refine {| members := list_prod (members X) (members Y); default := (default, default) |}.
  - intros [x y]. apply in_prod; apply every_member.
  - apply distinct_prod; apply each_once.
  - intros [x y] [x' y']. destruct (same x x'), (same y y'); [left|right|right|right]; congruence.
Defined.
