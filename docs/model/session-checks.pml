/* The start of session.pml, the roll-back, and what must hold in the end. */

/* How many ids that browsers have are alive. */
inline count_alive() {
  alive = 0; k = 0;
  do
  :: k < KEYS -> alive = alive + ALIVE(k); k++
  :: else -> break
  od
}

/* The changes that the sessions of browsers have: in `once` those that are in one of them. None is in any of them twice. */
inline collect() {
  once = 0; k = 0;
  do
  :: k < KEYS ->
     if
     :: issued[k] ->
        walk_from(k);
        c = 0;
        do
        :: c < N * COMMITS ->
           assert(!CHECKS(TWICE) || TIMES(store[last].values, c) <= 1);
           once = once | (store[last].values & CHANGE(c));
           c++
        :: else -> break
        od
     :: else
     fi;
     k++
  :: else -> break
  od
}

#if ROLLBACKS
#define COPY(r) (THERE(r + 1) && (request[r].step == COPYING || request[r].step == SWAPPING || request[r].step == FOLLOWING))
#if N == 2
#define NO_COPY (!COPY(0) && !COPY(1) && late.record.target == 0)
#else
#define NO_COPY (!COPY(0) && !COPY(1) && !COPY(2) && late.record.target == 0)
#endif

active proctype Failover() {
  byte k, c, last, alive;
  short once;
  /* Not between the two commands of a new id: such a roll-back makes two sessions of one, whatever the protocol does. */
end_before:
  atomic { started && NO_COPY ->
    for (k : 0 .. N) { copy(replica[k], store[k]) }
    printf("the replica has everything until here\n");
    k = 0 }
end_after:
  atomic { finished < N ->
    for (k : 0 .. N) { copy(store[k], replica[k]); forget(replica[k]) }
    /* What was under way to the old primary goes with it. What was acknowledged and is not here is lost by the store. */
    forget_late();
    collect();
    excused = acknowledged & ~once;
    count_alive();
    for (k : 0 .. N) {
      walk_from(k);
      loggedOut = loggedOut && !(issued[k] && store[last].state == LIVE)
    }
    forked = alive > 1;
    rolledBack = 1;
    printf("failover: the store is what the replica has, lost %d\n", excused);
    k = 0; c = 0; last = 0; alive = 0; once = 0 }
}
#endif

init {
  byte r, k, c, last, alive, lowest;
  short once;
  atomic {
    store[0].state = LIVE; store[0].count = 1; issued[0] = 1;
    /* Requests are alike but for their number, so that the order of their actions may be fixed. */
    for (r : 0 .. N - 1) {
      if
      :: (ACTIONS & BLIND) && lowest <= BLIND -> lowest = BLIND
      :: (ACTIONS & UPDATE) && lowest <= UPDATE -> lowest = UPDATE
      :: (ACTIONS & READS) && lowest <= READS -> lowest = READS
      :: (ACTIONS & LOGIN) && lowest <= LOGIN -> lowest = LOGIN
      :: (ACTIONS & ROTATE) && lowest <= ROTATE -> lowest = ROTATE
      :: (ACTIONS & DESTROY) && lowest <= DESTROY -> lowest = DESTROY
      :: (ACTIONS & DECIDE) && lowest <= DECIDE -> lowest = DECIDE
      fi;
      me.action = lowest;
      run Browser(r)
    }
    lowest = 0; r = 0; started = 1
  }
  atomic { finished == N && !late.used ->
    collect();
    count_alive();
    /* Nothing acknowledged is lost but what the store lost, and nothing refused is there. */
#if ROLLBACKS
    assert(!CHECKS(LOST) || torn || (acknowledged & ~excused & ~once) == 0);
#else
    assert(!CHECKS(LOST) || (acknowledged & ~once) == 0);
#endif
    assert(!CHECKS(REFUSED) || (refused & once) == 0);
    /* After an acknowledged logout nothing is alive that a browser has an id of; and a session never becomes two. */
    assert(!CHECKS(LOGOUT) || !loggedOut || alive == 0);
#if ROLLBACKS
    assert(!CHECKS(TWO) || alive <= 1 || forked)
#else
    assert(!CHECKS(TWO) || alive <= 1)
#endif
  }
}
