(* How many members of a type have a property: unions, differences, and functions on a finite set. *)

Require Import Arith Lia List Permutation FunctionalExtensionality.
From Mbgen Require Import Finite.
Import ListNotations.

(* Exactly n members of X have P. *)
Definition counts {X} (P : X -> Prop) (n : nat) : Prop := exists l, NoDup l /\ (forall x, In x l <-> P x) /\ length l = n.

Definition size X `{Finite X} : nat := length (members X).
Definition sum {X} (f : X -> nat) (l : list X) : nat := fold_right (fun x n => f x + n) 0 l.
Definition product_over {X} (f : X -> nat) (l : list X) : nat := fold_right (fun x n => f x * n) 1 l.
Definition product {X} `{Finite X} (f : X -> nat) : nat := product_over f (members X).

Section Counts.
Context {X : Type}.
Implicit Types (P Q : X -> Prop).

Lemma counts_unique P n m : counts P n -> counts P m -> n = m.
Proof.
  intros [l [Nl [El <-]]] [k [Nk [Ek <-]]].
  apply Permutation_length, NoDup_Permutation; auto. intros x. rewrite El, Ek. tauto.
Qed.

Lemma counts_ext P Q n : (forall x, P x <-> Q x) -> counts P n -> counts Q n.
Proof. intros E [l [Nl [El Ll]]]. exists l. repeat split; auto; intros; [apply E, El|apply El, E]; assumption. Qed.

Lemma counts_none P : (forall x, ~ P x) -> counts P 0.
Proof. intros N. exists []. split; [constructor|split; [|reflexivity]]. intros x. split; [intros []|intros Px; destruct (N x Px)]. Qed.

Lemma counts_or P Q n m : counts P n -> counts Q m -> (forall x, P x -> ~ Q x) -> counts (fun x => P x \/ Q x) (n + m).
Proof.
  intros [l [Nl [El <-]]] [k [Nk [Ek <-]]] D. exists (l ++ k). split; [|split; [|apply app_length]].
  - apply distinct_app; auto. intros x. rewrite El, Ek. apply D.
  - intros x. rewrite in_app_iff, El, Ek. tauto.
Qed.

Lemma counts_without P Q n m : (forall x, {Q x} + {~ Q x}) -> counts P n -> counts (fun x => P x /\ Q x) m ->
  counts (fun x => P x /\ ~ Q x) (n - m).
Proof.
  intros D CP CPQ. destruct CP as [l [Nl [El Ll]]]. set (k := filter (fun x => if D x then false else true) l).
  assert (Ek : forall x, In x k <-> P x /\ ~ Q x).
  { intros x. unfold k. rewrite filter_In, El. destruct (D x); intuition congruence. }
  assert (Ck : counts (fun x => P x /\ ~ Q x) (length k)) by (exists k; split; [apply NoDup_filter, Nl|split; [exact Ek|reflexivity]]).
  replace (n - m) with (length k); [exact Ck|].
  enough (length k + m = n) by lia. apply (counts_unique P); [|exists l; auto].
  eapply counts_ext; [|apply (counts_or _ _ _ _ Ck CPQ); tauto]. intros x. simpl. destruct (D x); tauto.
Qed.

Lemma counts_subset P Q n m : counts P n -> counts Q m -> (forall x, P x -> Q x) -> (n = m <-> forall x, Q x -> P x).
Proof.
  intros [l [Nl [El <-]]] [k [Nk [Ek <-]]] I.
  assert (Ilk : incl l k) by (intros x; rewrite El, Ek; apply I). split.
  - intros E x Qx. apply El. apply Ek in Qx. revert Qx. apply NoDup_length_incl; auto. lia.
  - intros J. apply Permutation_length, NoDup_Permutation; auto. intros x. rewrite El, Ek. split; auto.
Qed.

Lemma counts_all `{Finite X} : counts (fun _ : X => True) (size X).
Proof.
  exists (members X). split; [apply each_once|split; [|reflexivity]].
  intros x. split; [trivial|intros _; apply every_member].
Qed.

End Counts.

Lemma counts_pairs {X Y} (P : X -> Prop) (Q : Y -> Prop) n m : counts P n -> counts Q m ->
  counts (fun p => P (fst p) /\ Q (snd p)) (n * m).
Proof.
  intros [l [Nl [El <-]]] [k [Nk [Ek <-]]]. exists (list_prod l k). split; [apply distinct_prod; assumption|split; [|apply prod_length]].
  intros [x y]. rewrite in_prod_iff, El, Ek. reflexivity.
Qed.

Lemma counts_image {X Y} (P : X -> Prop) (f : X -> Y) n : (forall x y, f x = f y -> x = y) -> counts P n ->
  counts (fun y => exists x, P x /\ y = f x) n.
Proof.
  intros F [l [Nl [El <-]]]. exists (map f l). split; [apply distinct_map; assumption|split; [|apply map_length]].
  intros y. rewrite in_map_iff. split; intros [x [A B]]; exists x; [rewrite <- El|rewrite El]; auto.
Qed.

(* ---- functions on a finite set ---- *)

Section Functions.
Context {X Y : Type} `{Finite X} (default_value : Y).
Implicit Types (f : X -> Y).

Definition update f x y : X -> Y := fun x' => if same x x' then y else f x'.

Lemma update_at f x y : update f x y x = y.
Proof. unfold update. destruct (same x x); congruence. Qed.

Lemma update_elsewhere f x y x' : x <> x' -> update f x y x' = f x'.
Proof. intros N. unfold update. destruct (same x x'); congruence. Qed.

(* The functions with values in ys on l, and the default value elsewhere. *)
Fixpoint functions_on (ys : X -> list Y) (l : list X) : list (X -> Y) :=
  match l with [] => [fun _ => default_value] | x :: l' => flat_map (fun f => map (update f x) (ys x)) (functions_on ys l') end.

Lemma in_functions_on ys l f : NoDup l ->
  (In f (functions_on ys l) <-> forall x, (In x l -> In (f x) (ys x)) /\ (~ In x l -> f x = default_value)).
Proof.
  intros N. revert f. induction N as [|x l Hx N IH]; intros f.
  - simpl. split.
    + intros [<-|[]] x. split; [intros []|reflexivity].
    + intros E. left. extensionality x. symmetry. apply E. intros [].
  - simpl functions_on. rewrite in_flat_map. split.
    + intros [h [I J]]. apply in_map_iff in J. destruct J as [y [<- J]]. intros x'. pose proof (proj1 (IH h) I x') as [A B].
      destruct (same x x') as [<-|D].
      * rewrite update_at. split; [intros _; exact J|intros F; destruct F; left; reflexivity].
      * rewrite (update_elsewhere h x y x' D). split; [intros [F|F]; [congruence|apply A, F]|].
        intros F. apply B. intros F'. apply F. right. exact F'.
    + intros A. exists (update f x default_value). split.
      * apply IH. intros x'. destruct (same x x') as [<-|D].
        -- rewrite update_at. split; [intros F; destruct (Hx F)|reflexivity].
        -- rewrite (update_elsewhere _ _ _ _ D). split; intros F; apply A; [right; exact F|intros [G|G]; [congruence|exact (F G)]].
      * apply in_map_iff. exists (f x). split; [|apply A; left; reflexivity].
        extensionality x'. destruct (same x x') as [<-|D]; [apply update_at|]. rewrite !update_elsewhere by exact D. reflexivity.
Qed.

Lemma distinct_updates x fs ys : NoDup fs -> NoDup ys -> (forall f, In f fs -> f x = default_value) ->
  NoDup (flat_map (fun f => map (update f x) ys) fs).
Proof.
  intros Nf Ny D. induction Nf as [|f fs Hf Nf IH]; simpl; [constructor|]. apply distinct_app.
  - apply distinct_map; [|exact Ny]. intros y y' E. rewrite <- (update_at f x y), E. apply update_at.
  - apply IH. intros f' I. apply D. right. exact I.
  - intros h. rewrite in_map_iff, in_flat_map. intros [y [<- I]] [f' [I' J]].
    apply in_map_iff in J. destruct J as [y' [E J]]. apply Hf. replace f with f'; [exact I'|].
    extensionality x'. destruct (same x x') as [<-|N].
    + rewrite (D f (or_introl eq_refl)). apply D. right. exact I'.
    + rewrite <- (update_elsewhere f' x y' x' N), E. apply update_elsewhere, N.
Qed.

Lemma distinct_functions_on ys l : NoDup l -> (forall x, NoDup (ys x)) -> NoDup (functions_on ys l).
Proof.
  intros N Ny. induction N as [|x l Hx N IH]; simpl; [repeat constructor; intros []|].
  apply distinct_updates; [exact IH|apply Ny|]. intros f I. apply (proj1 (in_functions_on ys l f N) I), Hx.
Qed.

Lemma length_functions_on ys l : length (functions_on ys l) = product_over (fun x => length (ys x)) l.
Proof.
  induction l as [|x l IH]; simpl; [reflexivity|]. rewrite <- IH. clear IH.
  induction (functions_on ys l) as [|f fs IH]; simpl; [lia|]. rewrite app_length, map_length, IH. lia.
Qed.

Lemma counts_functions (P : X -> Y -> Prop) n : (forall x, counts (P x) (n x)) -> counts (fun f => forall x, P x (f x)) (product n).
Proof.
  intros C. destruct (choose (fun x (_ : unit) l => NoDup l /\ (forall y, In y l <-> P x y) /\ length l = n x) (fun _ _ => [])
                             (fun x _ => C x)) as [ys' E]. set (ys x := ys' x tt).
  exists (functions_on ys (members X)). split; [|split].
  - apply distinct_functions_on; [apply each_once|]. intros x. apply (E x tt).
  - intros f. rewrite in_functions_on by apply each_once. split.
    + intros A x. apply (E x tt), A, every_member.
    + intros A x. split; [intros _; apply (E x tt), A|intros F; destruct F; apply every_member].
  - rewrite length_functions_on. unfold product. induction (members X) as [|x l IH]; simpl; [reflexivity|].
    rewrite IH. f_equal. apply (E x tt).
Qed.

Lemma product_constant c : product (fun _ : X => c) = c ^ size X.
Proof. unfold product, size. induction (members X) as [|x l IH]; simpl; [|rewrite IH]; reflexivity. Qed.

End Functions.

#[export] Instance finite_function {X Y} `{Finite X} `{Finite Y} : Finite (X -> Y).
Proof.
  refine {| members := functions_on default (fun _ => members Y) (members X); default := fun _ => default |}.
  - intros f. apply in_functions_on; [apply each_once|]. intros x. split; [intros _; apply every_member|].
    intros F. destruct F. apply every_member.
  - apply distinct_functions_on; [apply each_once|intros _; apply each_once].
  - intros f h. destruct (forallb (fun x => if same (f x) (h x) then true else false) (members X)) eqn:E; [left|right].
    + extensionality x. rewrite forallb_forall in E. specialize (E x (every_member x)). destruct (same (f x) (h x)); congruence.
    + intros ->. assert (A : forallb (fun x => if same (h x) (h x) then true else false) (members X) = true); [|congruence].
      apply forallb_forall. intros x _. destruct (same (h x) (h x)); congruence.
Defined.

Lemma size_functions X Y `{Finite X} `{Finite Y} : size (X -> Y) = size Y ^ size X.
Proof. unfold size at 1. simpl. rewrite length_functions_on. apply product_constant. Qed.
