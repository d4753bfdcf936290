(* Values of a policy in a deterministic model, read off its lassos: a prefix that ends in the terminal state, or runs into a cycle. *)

Require Import Reals Lra.
From Mbgen Require Import Finite Geometric Bellman Returns Deterministic.
Open Scope R_scope.

Section Lasso.
Context {St Ac : Type} `{Finite St} `{Finite Ac} (r : St -> Ac -> R) (g : R) (g01 : 0 < g < 1).
Variables (T : model St Ac (option St)) (pi : St -> Ac).

(* Where the policy is after m steps from x, what step m earns, and the discounted sum of the first m rewards. *)
Definition onward (x : option St) : option St := match x with None => None | Some s => T s (pi s) end.
Fixpoint at_step (m : nat) (x : option St) : option St := match m with O => x | S m' => at_step m' (onward x) end.
Definition earned (x : option St) : R := match x with None => 0 | Some s => r s (pi s) end.
Fixpoint prefix (m : nat) (x : option St) : R := match m with O => 0 | S m' => earned x + g * prefix m' (onward x) end.

(* q holds the action values of the policy; after pi q x is what x is worth under it. *)
Variable q : table St Ac.
Hypothesis values : evaluates (paper r g g01) T pi q.

Lemma worth_onward x : after pi q x = earned x + g * after pi q (onward x).
Proof.
  destruct x as [s|]; [|simpl; ring]. simpl. rewrite (values s (pi s)). simpl. ring.
Qed.

(* What a state is worth under a policy: the rewards of the first m steps, and what the state after them is worth. *)
Theorem lasso_prefix m x : after pi q x = prefix m x + g ^ m * after pi q (at_step m x).
Proof.
  revert x. induction m as [|m IH]; intros x; simpl; [ring|]. rewrite worth_onward, (IH (onward x)). ring.
Qed.

(* On a cycle of c states: the rewards around it, divided by 1 - g^c. *)
Theorem lasso_cycle c x : (c > 0)%nat -> at_step c x = x -> after pi q x = prefix c x / (1 - g ^ c).
Proof.
  intros Hc E. pose proof (lasso_prefix c x) as F. rewrite E in F.
  pose proof (power_below_one g g01 c Hc).
  apply (Rmult_eq_reg_r (1 - g ^ c)); [|lra]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

End Lasso.
