(* Values as integers: with integer rewards and discount p/q, the value of every policy at every state, times q^n and any common multiple of the
   q^c - p^c for c up to n, is an integer. So exact values fit into a table of integers, scaled by one factor for all. *)

Require Import Reals ZArith Lra Lia List.
From Mbgen Require Import Finite Geometric Bellman Returns Deterministic Counting Lasso.
Import ListNotations.
Open Scope R_scope.

Definition integer (x : R) : Prop := exists k : Z, x = IZR k.

Lemma integer_plus x y : integer x -> integer y -> integer (x + y).
Proof. intros [k ->] [l ->]. exists (k + l)%Z. symmetry. apply plus_IZR. Qed.

Lemma integer_times x y : integer x -> integer y -> integer (x * y).
Proof. intros [k ->] [l ->]. exists (k * l)%Z. symmetry. apply mult_IZR. Qed.

Lemma integer_power x m : integer x -> integer (x ^ m).
Proof. intros Hx. induction m as [|m IH]; simpl; [exists 1%Z; reflexivity|apply integer_times; assumption]. Qed.

(* Among f 0, ..., f (k - 1) there are two equal ones, or they are all distinct. *)
Lemma repeated {X} `{Finite X} (f : nat -> X) k :
  NoDup (map f (seq 0 k)) \/ exists i j, (i < j < k)%nat /\ f i = f j.
Proof.
  induction k as [|k [N|[i [j [L E]]]]]; [left; constructor| |right; exists i, j; split; [lia|exact E]].
  rewrite seq_S, map_app. simpl. destruct (in_dec same (f k) (map f (seq 0 k))) as [I|I].
  - right. apply in_map_iff in I. destruct I as [i [E I]]. apply in_seq in I. exists i, k. split; [lia|exact E].
  - left. apply distinct_app; [exact N|repeat constructor; intros []|]. intros y J [<-|[]]. exact (I J).
Qed.

Section Scaled.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (reward_of : St -> Ac -> Z) (p q : Z) (pq : (0 < p < q)%Z).
Notation n := (size St).
Let r s a := IZR (reward_of s a).
Let g := IZR p / IZR q.

Lemma q_positive : 0 < IZR q.
Proof. apply IZR_lt. lia. Qed.

Lemma discount_in_range : 0 < g < 1.
Proof.
  unfold g. pose proof q_positive. assert (0 < IZR p < IZR q) by (split; apply IZR_lt; lia). split.
  - apply Rdiv_lt_0_compat; lra.
  - apply (Rmult_lt_reg_r (IZR q)); [assumption|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

Variables (T : model St Ac (option St)) (pi : St -> Ac) (values : table St Ac).
Hypothesis evaluated : evaluates (paper r g discount_in_range) T pi values.

(* Within n steps a path ends, or has come to a state that it comes to again within n steps. *)
Lemma has_lasso x : exists m, (m <= n)%nat /\
  (at_step T pi m x = None \/ exists c, (1 <= c <= n)%nat /\ at_step T pi c (at_step T pi m x) = at_step T pi m x).
Proof.
  assert (A : forall i j y, at_step T pi (i + j) y = at_step T pi j (at_step T pi i y)).
  { induction i as [|i IH]; intros j y; [reflexivity|]. simpl. apply IH. }
  destruct (repeated (fun i => at_step T pi i x) (S n)) as [N|[i [j [L E]]]].
  - assert (I : In None (map (fun i => at_step T pi i x) (seq 0 (S n)))).
    { apply (NoDup_length_incl N (l' := members (option St))); [|intros y _; apply every_member|apply every_member].
      rewrite map_length, seq_length. simpl. rewrite map_length. apply le_n. }
    apply in_map_iff in I. destruct I as [m [E I]]. apply in_seq in I. exists m. split; [lia|left; exact E].
  - exists i. split; [lia|]. right. exists (j - i)%nat. split; [lia|]. rewrite <- A. replace (i + (j - i))%nat with j by lia. auto.
Qed.

Lemma scaled_prefix m x : integer (IZR q ^ m * prefix r g T pi m x).
Proof.
  revert x. induction m as [|m IH]; intros x; simpl; [exists 0%Z; ring|].
  replace (IZR q * IZR q ^ m * (earned r pi x + g * prefix r g T pi m (onward T pi x)))
    with (IZR q * IZR q ^ m * earned r pi x + IZR p * (IZR q ^ m * prefix r g T pi m (onward T pi x)))
    by (unfold g; field; pose proof q_positive; lra).
  apply integer_plus; apply integer_times;
    [|destruct x as [s|]; [exists (reward_of s (pi s))|exists 0%Z]; reflexivity|exists p; reflexivity|apply IH].
  apply integer_times; [exists q; reflexivity|apply integer_power; exists q; reflexivity].
Qed.

Lemma scaled_discount m : IZR q ^ m * g ^ m = IZR p ^ m.
Proof. rewrite <- Rpow_mult_distr. f_equal. unfold g. field. pose proof q_positive. lra. Qed.

Lemma scaled_cycle c x : (1 <= c)%nat -> at_step T pi c x = x -> integer ((IZR q ^ c - IZR p ^ c) * after pi values x).
Proof.
  intros Hc E. rewrite (lasso_cycle r g discount_in_range T pi values evaluated c x) by (assumption || lia).
  replace ((IZR q ^ c - IZR p ^ c) * (prefix r g T pi c x / (1 - g ^ c))) with (IZR q ^ c * prefix r g T pi c x); [apply scaled_prefix|].
  rewrite <- (scaled_discount c). field. pose proof (power_below_one g discount_in_range c ltac:(lia)). lra.
Qed.

(* The value of every policy at every state is an integer after scaling. *)
Theorem scaled_values_are_integers (common : Z) : (forall c, (1 <= c <= n)%nat -> (q ^ Z.of_nat c - p ^ Z.of_nat c | common)%Z) ->
  forall x, integer (IZR q ^ n * IZR common * after pi values x).
Proof.
  intros D x. destruct (has_lasso x) as [m [Hm L]]. set (y := at_step T pi m x) in *.
  assert (Y : integer (IZR common * after pi values y)).
  { destruct L as [->|[c [Hc E]]]; [exists 0%Z; simpl; ring|]. destruct (D c Hc) as [k ->].
    rewrite mult_IZR, minus_IZR, <- !pow_IZR, Rmult_assoc. apply integer_times; [exists k; reflexivity|apply scaled_cycle; [lia|exact E]]. }
  rewrite (lasso_prefix r g discount_in_range T pi values evaluated m x). fold y.
  replace n with ((n - m) + m)%nat by lia. rewrite pow_add.
  replace (IZR q ^ (n - m) * IZR q ^ m * IZR common * (prefix r g T pi m x + g ^ m * after pi values y))
    with (IZR q ^ (n - m) * (IZR common * (IZR q ^ m * prefix r g T pi m x) + (IZR q ^ m * g ^ m) * (IZR common * after pi values y))) by ring.
  rewrite scaled_discount.
  apply integer_times; [apply integer_power; exists q; reflexivity|]. apply integer_plus; apply integer_times.
  - exists common. reflexivity.
  - apply scaled_prefix.
  - apply integer_power. exists p. reflexivity.
  - exact Y.
Qed.

End Scaled.
