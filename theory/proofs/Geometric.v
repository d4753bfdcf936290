(* What shrinks with the powers of the discount vanishes, and converges. *)

Require Import Reals Lra Lia.
Open Scope R_scope.

Lemma abs_le x d : Rabs x <= d <-> - d <= x <= d.
Proof. unfold Rabs; destruct (Rcase_abs x); lra. Qed.

Section Geometric.
Variable g : R.
Hypothesis g01 : 0 < g < 1.

Lemma power_positive n : 0 < g ^ n.
Proof. apply pow_lt; lra. Qed.

Lemma power_times n c : 0 <= c -> 0 <= g ^ n * c.
Proof. intros Hc. apply Rmult_le_pos; [apply Rlt_le, power_positive|exact Hc]. Qed.

Lemma power_below_one n : (n > 0)%nat -> g ^ n < 1.
Proof.
  intros Hn. destruct n as [|n]; [lia|]. simpl. assert (0 < g ^ n <= 1); [|nra].
  clear Hn. induction n as [|n IH]; simpl; [lra|nra].
Qed.

Lemma power_small c e : 0 <= c -> 0 < e -> exists N, forall n, (n >= N)%nat -> g ^ n * c < e.
Proof.
  intros Hc He. assert (Hg : Rabs g < 1) by (rewrite Rabs_right; lra).
  assert (Hy : 0 < e / (c + 1)) by (apply Rdiv_lt_0_compat; lra).
  destruct (pow_lt_1_zero g Hg _ Hy) as [N HN]. exists N; intros n Hn. specialize (HN n Hn).
  pose proof (power_positive n). rewrite Rabs_right in HN by lra.
  apply Rle_lt_trans with (g ^ n * (c + 1)); [apply Rmult_le_compat_l; lra|].
  apply Rmult_lt_compat_r with (r := c + 1) in HN; [|lra].
  unfold Rdiv in HN. rewrite Rmult_assoc, Rinv_l in HN by lra. lra.
Qed.

Lemma at_most x c : 0 <= c -> (forall n, x <= g ^ n * c) -> x <= 0.
Proof.
  intros Hc H. destruct (Rle_dec x 0) as [|Hx]; [assumption|exfalso].
  destruct (power_small c x Hc ltac:(lra)) as [N HN]. specialize (HN N (le_n N)). specialize (H N). lra.
Qed.

Lemma vanish x c : 0 <= c -> (forall n, Rabs x <= g ^ n * c) -> x = 0.
Proof.
  intros Hc H. apply Rle_antisym.
  - apply (at_most x c Hc). intro n. apply (proj1 (abs_le _ _) (H n)).
  - enough (- x <= 0) by lra. apply (at_most _ c Hc). intro n. pose proof (proj1 (abs_le _ _) (H n)). lra.
Qed.

Lemma converges u v c : 0 <= c -> (forall n, Rabs (u n - v) <= g ^ n * c) -> Un_cv u v.
Proof.
  intros Hc H e He. destruct (power_small c e Hc He) as [N HN].
  exists N; intros n Hn. unfold R_dist. specialize (H n). specialize (HN n Hn). lra.
Qed.

(* A sequence whose tails lie that close together has a limit, and lies that close to it. *)
Lemma has_limit u c : 0 <= c -> (forall n m, Rabs (u (n + m)%nat - u n) <= g ^ n * c) ->
  {v | Un_cv u v & forall n, Rabs (v - u n) <= g ^ n * c}.
Proof.
  intros Hc H.
  assert (Hu : Cauchy_crit u).
  { intros e He. destruct (power_small (2 * c) e) as [N HN]; [lra|assumption|].
    exists N. intros n m Hn Hm. unfold R_dist. specialize (HN N (le_n N)).
    pose proof (proj1 (abs_le _ _) (H N (n - N)%nat)) as Hx. pose proof (proj1 (abs_le _ _) (H N (m - N)%nat)) as Hy.
    replace (N + (n - N))%nat with n in Hx by lia. replace (N + (m - N))%nat with m in Hy by lia.
    apply Rle_lt_trans with (g ^ N * (2 * c)); [|assumption]. apply abs_le. lra. }
  destruct (R_complete u Hu) as [v Hv]. exists v; [exact Hv|].
  intros n. apply le_epsilon. intros e He. destruct (Hv e He) as [N HN].
  specialize (HN (n + N)%nat ltac:(lia)). unfold R_dist in HN. specialize (H n N).
  replace (v - u n) with ((v - u (n + N)%nat) + (u (n + N)%nat - u n)) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_minus_sym in HN. lra.
Qed.

End Geometric.
