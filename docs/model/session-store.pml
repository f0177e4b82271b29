/* The store of session.pml: one atomic compare-and-swap, and the network before it. */

#define COMMITTED 1
#define CONFLICT 2
#define GONE 3

/* Expected count 0 creates and never overwrites; any other replaces exactly that version and never creates. */
inline swap(AT, COUNT, TAG, WHAT) {
  if
  :: THERE(AT) && (COUNT) != 0 && SAME(AT, COUNT, TAG) -> copy(store[AT], WHAT); result = COMMITTED
  :: THERE(AT) && !((COUNT) != 0 && SAME(AT, COUNT, TAG)) -> result = CONFLICT
#ifdef UPDATE_CREATES
  :: !THERE(AT) -> copy(store[AT], WHAT); result = COMMITTED
#else
  :: !THERE(AT) && (COUNT) == 0 -> copy(store[AT], WHAT); result = COMMITTED
  :: !THERE(AT) && (COUNT) != 0 -> result = GONE
#endif
  fi
}

/* The same with what must hold whenever a swap of a session's own record succeeds. */
inline checked_swap(AT, COUNT, TAG, OWN) {
  sound = !(OWN) || ((!CHECKS(RETURN) || (THERE(AT) && store[AT].state == LIVE))
                     && (!CHECKS(STALE) || store[AT].values == me.values)
                     && (!CHECKS(SAW) || !DECIDES || me.saw == store[AT].values)
                     && (!CHECKS(LATE) || !ENDS || !me.late));
  swap(AT, COUNT, TAG, next);
  printf("request %d swaps key %d, version %d.%d, for state %d, values %d: ", r, AT, COUNT, TAG, next.state, next.values);
  printf("%d\n", result);
  assert(result != COMMITTED || sound)
}

/* Answered; done and not answered; or still on its way. Without an answer it is sent again, or given up: 503, or a crash. */
inline send(AT, COUNT, TAG, OWN) {
  if
  :: checked_swap(AT, COUNT, TAG, OWN)
  :: faults < FAULTS -> faults++; checked_swap(AT, COUNT, TAG, OWN); result = 0;
     printf("the answer is lost\n")
  :: faults < FAULTS && !late.used ->
     faults++; late.used = 1; late.key = AT; late.count = COUNT; late.tag = TAG; late.own = OWN; late.base = me.values;
     copy(late.record, next);
     printf("request %d sends a command for key %d that is late\n", r, AT);
     result = 0
  fi;
  if
  :: result == 0 -> me.unanswered = 1
  :: result == 0 ->
#if ROLLBACKS
     torn = torn || (rolledBack && MOVES);
#endif
     finish()
  :: else
  fi
}

/* Nothing is between its first and its last command: an operation takes less time than a closed record lives. */
#define RESTS(r) (request[r].step == WAITING || request[r].step == LOADED || request[r].step == DONE)
#if N == 2
#define ALL_REST (RESTS(0) && RESTS(1))
#else
#define ALL_REST (RESTS(0) && RESTS(1) && RESTS(2))
#endif

inline forget(WHAT) {
  WHAT.state = 0; WHAT.expired = 0; WHAT.count = 0; WHAT.tag = 0; WHAT.ids = 0; WHAT.values = 0; WHAT.target = 0
}

inline forget_late() {
  late.used = 0; late.key = 0; late.count = 0; late.tag = 0; late.own = 0; late.base = 0;
  forget(late.record)
}

active proctype Network() {
  byte result;
  bit sound;
end:
  do
  :: atomic { late.used ->
       sound = !late.own || ((!CHECKS(RETURN) || (THERE(late.key) && store[late.key].state == LIVE))
                             && (!CHECKS(STALE) || store[late.key].values == late.base));
       swap(late.key, late.count, late.tag, late.record);
       printf("the late command arrives: %d\n", result);
       assert(result != COMMITTED || sound);
       forget_late(); result = 0; sound = 0 }
  :: atomic { late.used -> forget_late() }
  od
}

#if EXPIRES
active proctype Clock() {
  byte k;
end:
  do
  :: atomic { started && expires < EXPIRES && ALL_REST && !late.used ->
       select(k : 0 .. N);
       if
       :: THERE(k) && store[k].state != LIVE -> store[k].expired = 1; expires++; printf("key %d expires\n", k)
       :: else
       fi;
       k = 0 }
  od
}
#endif
