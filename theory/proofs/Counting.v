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

Section Functions.
Context {X Y : Type} `{Finite X} (default_value : Y).
Implicit Types (f : X -> Y).

Definition update f x y : X -> Y := fun x' => if same x x' then y else f x'.

Lemma update_at f x y : update f x y x = y.
Proof. unfold update. destruct (same x x); congruence. Qed.

Lemma update_elsewhere f x y x' : x <> x' -> update f x y x' = f x'.
Proof. intros N. unfold update. destruct (same x x'); congruence. Qed.

Lemma distinct_updates x fs ys : NoDup fs -> NoDup ys -> (forall f, In f fs -> f x = default_value) ->
  NoDup (flat_map (fun f => map (update f x) ys) fs).
Proof.
  intros Nf Ny D. induction Nf as [|f fs Hf Nf IH]; simpl; [constructor|]. apply distinct_app.
  - clear IH. induction Ny as [|y ys Hy Ny IH]; simpl; constructor; [|exact IH].
    rewrite in_map_iff. intros [y' [E I]]. apply Hy. rewrite <- (update_at f x y), <- E, update_at. exact I.
  - apply IH. intros f' I. apply D. right. exact I.
  - intros h. rewrite in_map_iff, in_flat_map. intros [y [<- I]] [f' [I' J]].
    apply in_map_iff in J. destruct J as [y' [E J]]. apply Hf. replace f with f'; [exact I'|].
    extensionality x'. destruct (same x x') as [<-|N].
    + rewrite (D f (or_introl eq_refl)). apply D. right. exact I'.
    + rewrite <- (update_elsewhere f' x y' x' N), E. apply update_elsewhere, N.
Qed.

Lemma length_updates x fs ys : length (flat_map (fun f => map (update f x) ys) fs) = length ys * length fs.
Proof. induction fs as [|f fs IH]; simpl; [lia|]. rewrite app_length, map_length, IH. lia. Qed.

Lemma counts_functions_on (P : X -> Y -> Prop) n l : NoDup l -> (forall x, counts (P x) (n x)) ->
  counts (fun f => forall x, (In x l -> P x (f x)) /\ (~ In x l -> f x = default_value)) (product_over n l).
Proof.
  intros Nl C. induction Nl as [|x l Hx Nl IH].
  - exists [fun _ => default_value]. split; [repeat constructor; intros []|split; [|reflexivity]].
    intros f. split.
    + intros [<-|[]] x. split; [intros []|reflexivity].
    + intros E. left. extensionality x. symmetry. apply E. intros [].
  - destruct IH as [fs [Nf [Ef Lf]]], (C x) as [ys [Ny [Ey Ly]]].
    exists (flat_map (fun f => map (update f x) ys) fs). split; [|split].
    + apply distinct_updates; auto. intros f I. apply (proj1 (Ef f) I), Hx.
    + intros f. rewrite in_flat_map. split.
      * intros [h [I J]]. apply in_map_iff in J. destruct J as [y [<- J]]. apply Ey in J. intros x'.
        pose proof (proj1 (Ef h) I x') as [A B]. destruct (same x x') as [<-|N].
        -- rewrite update_at. split; [intros _; exact J|intros F; destruct F; left; reflexivity].
        -- rewrite (update_elsewhere h x y x' N). split; [intros [F|F]; [congruence|apply A, F]|].
           intros F. apply B. intros F'. apply F. right. exact F'.
      * intros A. exists (update f x default_value). split.
        -- apply Ef. intros x'. destruct (same x x') as [<-|N].
           ++ rewrite update_at. split; [intros F; destruct (Hx F)|reflexivity].
           ++ rewrite (update_elsewhere _ _ _ _ N). split; intros F; apply A; [right; exact F|intros [G|G]; [congruence|exact (F G)]].
        -- apply in_map_iff. exists (f x). split; [|apply Ey, A; left; reflexivity].
           extensionality x'. destruct (same x x') as [<-|N]; [apply update_at|].
           rewrite !update_elsewhere by exact N. reflexivity.
    + rewrite length_updates, Lf, Ly. reflexivity.
Qed.

Lemma counts_functions (P : X -> Y -> Prop) n : (forall x, counts (P x) (n x)) -> counts (fun f => forall x, P x (f x)) (product n).
Proof.
  intros C. eapply counts_ext; [|apply (counts_functions_on P n (members X) (each_once X) C)].
  intros f. split; intros A x; [apply A, every_member|]. split; [intros _; apply A|intros N; destruct N; apply every_member].
Qed.

Lemma product_constant c : product (fun _ : X => c) = c ^ size X.
Proof. unfold product, size. induction (members X) as [|x l IH]; simpl; [|rewrite IH]; reflexivity. Qed.

End Functions.
