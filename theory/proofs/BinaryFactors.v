(* The classes binary-factors-n of the gallery: n factors of two values, action i maps factor i by an unknown function, and eating at
   (1, ..., 1) ends the episode with reward 1; elsewhere it changes nothing. From (0, ..., 0) action i was seen to set factor i, for each i.
   Then |H_M| = 2^n and |H_B| = (2^n - n) 2^n. *)

Require Import Reals Lra Lia List FunctionalExtensionality.
From Mbgen Require Import Finite Bellman Datasets Deterministic Counting.
Import ListNotations.
Open Scope R_scope.

Section BinaryFactors.
Context {X : Type} `{Finite X} (g : R) (g01 : 0 < g < 1).
Notation state := (X -> bool).
Notation action := (option X).                    (* a factor to act on, or None, to eat *)
Notation n := (size X).
Implicit Types (up stay s : state) (i j : X) (a : action).

Definition full : state := fun _ => true.
Definition empty : state := fun _ => false.

(* What action i makes of factor i: up i of 0, stay i of 1. *)
Definition factored (m : state * state) : model state action (option state) := fun s a =>
  match a with
  | Some i => Some (update s i (if s i then snd m i else fst m i))
  | None => if same s full then None else Some s
  end.
Definition binary_factors T : Prop := exists m, T = factored m.
Definition meal s a : R := match a with None => if same s full then 1 else 0 | Some _ => 0 end.
Definition set_once : dataset state action (option state) := map (fun i => (empty, Some i, Some (update empty i true))) (members X).

Lemma in_set_once s a x : In (s, a, x) set_once <-> exists i, s = empty /\ a = Some i /\ x = Some (update empty i true).
Proof.
  unfold set_once. rewrite in_map_iff. split.
  - intros [i [E _]]. injection E as <- <- <-. exists i. auto.
  - intros [i [-> [-> ->]]]. exists i. split; [reflexivity|apply every_member].
Qed.

Lemma seen i : In (empty, Some i, Some (update empty i true)) set_once.
Proof. apply in_set_once. exists i. auto. Qed.

(* ---- how many factors are 0 ---- *)

Definition zeros s : nat := sum (fun i => if s i then 0%nat else 1%nat) (members X).

Lemma sum_one_more (f h : X -> nat) l i : NoDup l -> In i l -> f i = S (h i) -> (forall j, i <> j -> f j = h j) -> sum f l = S (sum h l).
Proof.
  intros N. induction N as [|x l Hx N IH]; [intros []|]. intros I E D. simpl. destruct (same i x) as [<-|F].
  - rewrite E. simpl. do 2 f_equal. clear - Hx D. induction l as [|y l IH]; simpl; [reflexivity|].
    rewrite D, IH; [reflexivity|intros F; apply Hx; right; exact F|intros ->; apply Hx; left; reflexivity].
  - rewrite (D x F), IH; [lia|destruct I; [congruence|assumption]|exact E|exact D].
Qed.

Lemma zeros_up s i : s i = false -> zeros s = S (zeros (update s i true)).
Proof.
  intros E. apply (sum_one_more _ _ _ i); [apply each_once|apply every_member|rewrite E, update_at; reflexivity|].
  intros j D. rewrite update_elsewhere by exact D. reflexivity.
Qed.

Lemma update_twice s i b c : update (update s i b) i c = update s i c.
Proof. extensionality j. unfold update. destruct (same i j); reflexivity. Qed.

Lemma update_same s i b : s i = b -> update s i b = s.
Proof. intros E. extensionality j. unfold update. destruct (same i j) as [<-|]; congruence. Qed.

Lemma zeros_down s i : s i = true -> zeros (update s i false) = S (zeros s).
Proof. intros E. rewrite (zeros_up _ i) by apply update_at. rewrite update_twice, update_same by exact E. reflexivity. Qed.

Lemma zeros_full : zeros full = 0%nat.
Proof. unfold zeros, full. induction (members X); simpl; auto. Qed.

Lemma full_or_not s : s = full \/ exists i, s i = false.
Proof.
  destruct (Exists_dec (fun i => s i = false) (members X)) as [E|E]; [intros i; apply Bool.bool_dec| |].
  - right. apply Exists_exists in E. destruct E as [i [_ E]]. exists i. exact E.
  - left. extensionality i. destruct (s i) eqn:F; [reflexivity|]. destruct E. apply Exists_exists. exists i.
    split; [apply every_member|exact F].
Qed.

(* ---- the optimal values ---- *)

(* Some factor is 0 and stays 0, so that (1, ..., 1) is out of reach. *)
Definition stuck up s : bool := existsb (fun i => negb (s i) && negb (up i))%bool (members X).

Lemma stuck_spec up s : stuck up s = true <-> exists i, s i = false /\ up i = false.
Proof.
  unfold stuck. rewrite existsb_exists. split.
  - intros [i [_ E]]. exists i. destruct (s i), (up i); try discriminate. auto.
  - intros [i [E F]]. exists i. rewrite E, F. split; [apply every_member|reflexivity].
Qed.

Definition value up s : R := if stuck up s then 0 else g ^ zeros s.
Definition value_of up (x : option state) : R := match x with None => 0 | Some s => value up s end.
Definition q_of (m : state * state) : table state action := fun s a => meal s a + g * value_of (fst m) (factored m s a).

Lemma power_le_one k : g ^ k <= 1.
Proof. induction k as [|k IH]; simpl; [lra|]. assert (0 < g ^ k) by (apply pow_lt; lra). nra. Qed.

Lemma value_range up s : 0 <= value up s <= g ^ zeros s.
Proof. unfold value. assert (0 < g ^ zeros s) by (apply pow_lt; lra). destruct (stuck up s); lra. Qed.

Lemma factored_none m : factored m full None = None.
Proof. simpl. destruct (same full full); congruence. Qed.

Lemma meal_full : meal full None = 1.
Proof. simpl. destruct (same full full); congruence. Qed.

Lemma meal_elsewhere s a : s <> full -> meal s a = 0.
Proof. intros N. destruct a; [reflexivity|]. simpl. destruct (same s full); [contradiction|reflexivity]. Qed.

Lemma stuck_stays m s a : stuck (fst m) s = true -> q_of m s a = 0.
Proof.
  intros K. apply stuck_spec in K. destruct K as [i [E F]]. unfold q_of.
  rewrite meal_elsewhere by (intros ->; discriminate).
  enough (value_of (fst m) (factored m s a) = 0) as -> by ring.
  assert (K : forall s', s' i = false -> value (fst m) s' = 0).
  { intros s' E'. unfold value. replace (stuck (fst m) s') with true; [reflexivity|]. symmetry. apply stuck_spec. exists i. auto. }
  destruct a as [j|]; simpl; [apply K|destruct (same s full); [reflexivity|apply K, E]].
  destruct (same j i) as [->|D]; [rewrite update_at, E; exact F|rewrite update_elsewhere by exact D; exact E].
Qed.

Lemma q_below m s a : s <> full -> stuck (fst m) s = false -> q_of m s a <= g ^ zeros s.
Proof.
  intros N K. unfold q_of. rewrite meal_elsewhere by exact N. rewrite Rplus_0_l.
  assert (P : 0 < g ^ zeros s) by (apply pow_lt; lra).
  assert (same_zeros : forall s', (zeros s <= S (zeros s'))%nat -> g * value (fst m) s' <= g ^ zeros s).
  { intros s' L. destruct (value_range (fst m) s') as [_ U].
    apply Rle_trans with (g * g ^ zeros s'); [apply Rmult_le_compat_l; lra|].
    change (g * g ^ zeros s') with (g ^ S (zeros s')). replace (S (zeros s')) with (zeros s + (S (zeros s') - zeros s))%nat by lia.
    rewrite pow_add. pose proof (power_le_one (S (zeros s') - zeros s)). nra. }
  destruct a as [i|]; simpl; [|destruct (same s full); [contradiction|apply same_zeros; lia]].
  apply same_zeros. destruct (s i) eqn:E.
  - destruct (snd m i); [rewrite update_same by exact E; lia|rewrite zeros_down by exact E; lia].
  - destruct (fst m i) eqn:F; [rewrite (zeros_up s i E); lia|rewrite update_same by exact E; lia].
Qed.

Lemma q_maximum m s : maximum (q_of m s) = value (fst m) s.
Proof.
  destruct (stuck (fst m) s) eqn:K.
  - apply (maximum_is _ _ None); unfold value; rewrite K; [intros a; rewrite stuck_stays by exact K; lra|apply stuck_stays, K].
  - destruct (full_or_not s) as [->|[i E]].
    + unfold value. rewrite K, zeros_full. simpl. apply (maximum_is _ _ None).
      * intros [i|]; unfold q_of; [|rewrite meal_full, factored_none; simpl; lra].
        simpl. destruct (value_range (fst m) (update full i (snd m i))) as [L U].
        pose proof (power_le_one (zeros (update full i (snd m i)))). nra.
      * unfold q_of. rewrite meal_full, factored_none. simpl. lra.
    + assert (N : s <> full) by (intros ->; discriminate).
      assert (F : fst m i = true).
      { destruct (fst m i) eqn:F; [reflexivity|]. assert (stuck (fst m) s = true) by (apply stuck_spec; exists i; auto). congruence. }
      unfold value. rewrite K. apply (maximum_is _ _ (Some i)); [intros a; apply q_below; assumption|].
      unfold q_of. rewrite meal_elsewhere by exact N. simpl. rewrite E, F.
      assert (K' : stuck (fst m) (update s i true) = false).
      { apply Bool.not_true_iff_false. rewrite stuck_spec. intros [j [A B]]. destruct (same i j) as [<-|D]; [congruence|].
        rewrite update_elsewhere in A by exact D. assert (stuck (fst m) s = true) by (apply stuck_spec; exists j; auto). congruence. }
      unfold value. rewrite K', (zeros_up s i E). simpl. ring.
Qed.

Lemma V_of m x : V (q_of m) x = value_of (fst m) x.
Proof. destruct x as [s|]; [apply q_maximum|reflexivity]. Qed.

Lemma qstar_of m : qstar meal g (factored m) (q_of m).
Proof. apply (qstar_bellman meal g g01). intros s a. unfold bellman_at. rewrite V_of. reflexivity. Qed.

(* ---- they tell the models apart ---- *)

Lemma value_near up i : value up (update full i false) = if up i then g else 0.
Proof.
  unfold value. destruct (up i) eqn:E.
  - replace (stuck up (update full i false)) with false.
    + rewrite zeros_down by reflexivity. rewrite zeros_full. simpl. ring.
    + symmetry. apply Bool.not_true_iff_false. rewrite stuck_spec. intros [j [A B]].
      destruct (same i j) as [<-|D]; [congruence|]. rewrite update_elsewhere in A by exact D. discriminate.
  - replace (stuck up (update full i false)) with true; [reflexivity|]. symmetry. apply stuck_spec. exists i.
    rewrite update_at. auto.
Qed.

Lemma value_full up : value up full = 1.
Proof.
  unfold value. rewrite zeros_full. replace (stuck up full) with false; [reflexivity|]. symmetry.
  apply Bool.not_true_iff_false. rewrite stuck_spec. intros [i [A _]]. discriminate.
Qed.

Lemma q_tells m m' : q_of m = q_of m' -> m = m'.
Proof.
  intros E. assert (EV : forall s, value (fst m) s = value (fst m') s) by (intros s; rewrite <- !q_maximum, E; reflexivity).
  destruct m as [up stay], m' as [up' stay']. simpl in EV. f_equal; extensionality i.
  - specialize (EV (update full i false)). rewrite !value_near in EV. destruct (up i), (up' i); try reflexivity; lra.
  - assert (F : forall m : state * state, q_of m full (Some i) = g * (if snd m i then 1 else if fst m i then g else 0)).
    { intros m. unfold q_of. simpl. rewrite Rplus_0_l. f_equal. destruct (snd m i); [|apply value_near].
      rewrite update_same by reflexivity. apply value_full. }
    pose proof (f_equal (fun q => q full (Some i)) E) as G. simpl in G. rewrite !F in G. simpl in G.
    specialize (EV (update full i false)). rewrite !value_near in EV.
    destruct (stay i), (stay' i); try reflexivity; destruct (up i), (up' i); nra.
Qed.

(* ---- what the data leave ---- *)

Lemma extends_set_once m : extends (factored m) set_once <-> forall i, fst m i = true.
Proof.
  split.
  - intros E i. specialize (E _ _ _ (seen i)).
    simpl in E. apply (f_equal (fun x => match x with Some s => s i | None => true end)) in E. rewrite !update_at in E. exact E.
  - intros E s a x I. apply in_set_once in I. destruct I as [i [-> [-> ->]]]. simpl. rewrite E. reflexivity.
Qed.

Lemma consistent_set_once m : (forall s a x, In (s, a, x) set_once -> bellman_at meal g (q_of m) s a x) <->
  ~ exists i, True /\ fst m = update full i false.
Proof.
  assert (A : forall i, bellman_at meal g (q_of m) empty (Some i) (Some (update empty i true)) <->
                        value (fst m) (update empty i (fst m i)) = value (fst m) (update empty i true)).
  { intros i. unfold bellman_at. rewrite V_of. unfold q_of. simpl. split; intros E; [apply (Rmult_eq_reg_l g); lra|rewrite E; reflexivity]. }
  assert (P : forall s, 0 < g ^ zeros s) by (intros; apply pow_lt; lra).
  split.
  - intros B [i [_ E]]. specialize (B _ _ _ (seen i)). apply A in B.
    rewrite E, update_at in B. rewrite (update_same empty) in B by reflexivity. unfold value in B.
    replace (stuck (update full i false) empty) with true in B by (symmetry; apply stuck_spec; exists i; rewrite update_at; auto).
    replace (stuck (update full i false) (update empty i true)) with false in B; [specialize (P (update empty i true)); lra|].
    symmetry. apply Bool.not_true_iff_false. rewrite stuck_spec. intros [j [F G]].
    destruct (same i j) as [<-|D]; [rewrite update_at in F; discriminate|rewrite update_elsewhere in G by exact D; discriminate].
  - intros N s a x I. apply in_set_once in I. destruct I as [i [-> [-> ->]]]. apply A. destruct (fst m i) eqn:E; [reflexivity|].
    rewrite (update_same empty) by reflexivity. unfold value.
    replace (stuck (fst m) empty) with true by (symmetry; apply stuck_spec; exists i; auto).
    replace (stuck (fst m) (update empty i true)) with true; [reflexivity|]. symmetry. apply stuck_spec.
    destruct (full_or_not (update (fst m) i true)) as [F|[j F]].
    + destruct N. exists i. split; [exact I|]. rewrite <- F, update_twice, update_same by exact E. reflexivity.
    + exists j. destruct (same i j) as [<-|D]; [rewrite update_at in F; discriminate|].
      rewrite update_elsewhere in * by exact D. auto.
Qed.

Lemma counts_states : counts (fun _ : state => True) (2 ^ n).
Proof. change 2%nat with (size bool). rewrite <- size_functions. apply counts_all. Qed.

(* How large the gap is: 2^n action-value functions are left to the models, and (2^n - n) 2^n to the Bellman equation. *)
Theorem binary_factors_gap :
  realizable_data binary_factors set_once /\ functional set_once /\
  counts (H_M meal g binary_factors set_once) (2 ^ n) /\ counts (H_B meal g binary_factors set_once) ((2 ^ n - n) * 2 ^ n).
Proof.
  split; [|split; [|split]].
  - exists (factored (full, full)). split; [exists (full, full); reflexivity|]. apply extends_set_once. reflexivity.
  - intros s a x y I J. apply in_set_once in I, J. destruct I as [i [-> [-> ->]]], J as [j [_ [E ->]]]. congruence.
  - eapply counts_ext; [|apply (counts_image (fun _ => True) (fun stay => q_of (full, stay)) _); [|apply counts_states]].
    + intros q. split.
      * intros [stay [_ ->]]. exists (factored (full, stay)). split; [eexists; reflexivity|split; [|apply qstar_of]].
        apply extends_set_once. reflexivity.
      * intros [T [[[up stay] ->] [E Q]]]. exists stay. split; [exact I|]. rewrite extends_set_once in E.
        replace full with up by (extensionality i; apply E). apply (qstar_unique meal g g01 (factored (up, stay))); [exact Q|apply qstar_of].
    + intros stay stay' E. apply q_tells in E. congruence.
  - set (single up := exists i, True /\ up = update full i false).
    assert (D : forall up, {single up} + {~ single up}).
    { intros up. destruct (in_dec same up (map (fun i => update full i false) (members X))) as [J|J]; [left|right];
        rewrite in_map_iff in J; [destruct J as [i [E _]]; exists i; auto|].
      intros [i [_ E]]. apply J. exists i. split; [auto|apply every_member]. }
    assert (C : counts (fun up => True /\ ~ single up) (2 ^ n - n)).
    { apply (counts_without _ _ _ _ D); [apply counts_states|]. eapply counts_ext;
        [|apply (counts_image (fun _ : X => True) (fun i => update full i false)); [|apply counts_all]].
      - intros up. unfold single. tauto.
      - intros i j E. destruct (same i j) as [|N]; [assumption|].
        pose proof (f_equal (fun s => s j) E) as F. simpl in F. rewrite update_at, update_elsewhere in F by exact N. discriminate. }
    eapply counts_ext; [|apply (counts_image _ q_of _ q_tells (counts_pairs _ _ _ _ C counts_states))]. intros q. split.
    + intros [m [[[_ N] _] ->]]. split; [exists (factored m); split; [exists m; reflexivity|apply qstar_of]|].
      apply consistent_set_once, N.
    + intros [[T [[m ->] Q]] B]. exists m. assert (E : q = q_of m) by (apply (qstar_unique meal g g01 (factored m)); [exact Q|apply qstar_of]).
      rewrite E in B. split; [|exact E]. split; [split; [exact I|]|exact I]. apply consistent_set_once, B.
Qed.

End BinaryFactors.
