/* The engine of session.pml: from a cookie to an answer. */

/* What a finished request knew is forgotten, so that states that differ in nothing else are one. */
inline finish() {
  printf("request %d is done\n", r);
  me.action = 0; me.came = 0; me.key = 0; me.hops = 0; me.commit = 0; me.attempt = 0; me.unanswered = 0; me.late = 0;
 me.count = 0; me.tag = 0; me.ids = 0; me.values = 0; me.saw = 0; me.newCount = 0; me.newTag = 0;
  me.step = DONE;
  finished++
}

inline stand() {
  me.count = store[me.key].count; me.tag = store[me.key].tag; me.ids = store[me.key].ids;
  me.values = store[me.key].values;
  me.unanswered = 0; me.hops = 0
}

inline forget_new() { forget(store[r + 1]); me.newCount = 0; me.newTag = 0 }

/* The record that a commit makes of the one that it stands on. */
inline make(STATE, COUNT, TARGET) {
  next.state = STATE; next.expired = 0; next.count = (COUNT) + 1; next.target = TARGET;
#if VERSION == 2
  next.tag = ID + 8 * me.attempt;
#elif VERSION == 1
  next.tag = ID;
#else
  next.tag = 0;
#endif
  next.ids = ((me.ids & 15) == ID -> me.ids : ((me.ids << 4) | ID) & ((1 << (4 * COMMIT_IDS)) - 1));
  next.values = me.values + (ENDS -> 0 : CHANGE(COMMIT))
}

/* Sends what `make` has made. */
inline send_copy() {
  send(r + 1, me.newCount, me.newTag, 0);
  if
  :: result == COMMITTED || (result == CONFLICT && HAS_ID(store[r + 1].ids, ID)) ->
     /* A conflict is an earlier attempt of this very command. */
     me.newCount = store[r + 1].count; me.newTag = store[r + 1].tag; me.step = SWAPPING
  :: result == GONE || (result == CONFLICT && !HAS_ID(store[r + 1].ids, ID)) -> finish()
  :: else
  fi
}

/* A swap of the session's own record that found its commit stored, by this command or by an earlier one. */
inline stored() {
  if
#if ROLLBACKS && !defined(NO_SECOND_LOOK)
  :: MOVES -> me.step = CHECKING_NEW
#else
  :: MOVES -> goto to_move
#endif
  :: ENDS -> goto to_end
  :: !ENDS && !MOVES ->
     acknowledged = acknowledged | CHANGE(COMMIT);
     printf("request %d: change acknowledged\n", r);
     if
     :: me.commit + 1 < COMMITS_OF(r) && result == COMMITTED ->
        me.commit++; me.attempt = 0; me.step = LOADED;
        stand(); me.saw = me.values
     :: else -> finish()
     fi
  fi
}

/*
 * The store may have been rolled back between the two commands: then it has the closed record, and not its successor.
 * Or after both: then it has neither, and the answer is 503.
 */
inline check_new() {
  if
  :: THERE(r + 1) -> goto to_move
  :: else -> me.step = CHECKING_OLD
  fi
}

inline check_old() {
  if
  :: HAS_ID(store[me.key].ids, ID) -> me.newCount = 0; me.newTag = 0; me.step = COPYING
  :: else -> finish()
  fi
}

proctype Browser(byte r) {
  Record next;
  byte result, k, last;
  bit sound;

  do
  :: me.step == DONE -> break
  :: atomic { started && me.step != DONE ->
     if
     :: me.step == WAITING ->
        /* The browser has an id that an answer brought, the newest or an older one. */
        select(k : 0 .. N);
        me.came = (issued[k] -> k : 0); k = 0;
        me.key = me.came;
        me.step = LOADING
     :: me.step == LOADING -> goto to_load
     :: me.step == LOADED -> goto to_decide
     :: me.step == COPYING -> make(LIVE, me.newCount, 0); send_copy()
     :: me.step == SWAPPING -> goto to_swap
     :: me.step == FOLLOWING -> goto to_move_on
     :: me.step == CHECKING_NEW -> check_new()
     :: me.step == CHECKING_OLD -> check_old()
     fi;
     goto next_step;

to_load:
     if
     :: !THERE(me.key) -> goto to_refuse
     :: THERE(me.key) && store[me.key].state == LIVE -> stand(); me.saw = me.values; me.step = LOADED;
        printf("request %d (action %d) has loaded key %d, version %d.%d, values %d\n", r, me.action, me.key, me.count, me.tag, me.values)
     :: THERE(me.key) && store[me.key].state == ENDED -> if :: ENDS -> goto to_end :: else -> goto to_refuse fi
     :: THERE(me.key) && store[me.key].state == REPLACED ->
        me.late = 1;
        if
#ifdef NO_SUCCESSOR
        :: ENDS -> goto to_end
#endif
#ifdef FOLLOW_ALWAYS
        :: ENDS -> me.key = store[me.key].target
#endif
        :: else -> goto to_refuse
        fi
     :: THERE(me.key) && store[me.key].state == FORWARD ->
        if
        :: me.hops < FORWARDS -> me.hops++; me.key = store[me.key].target
        :: else ->
#ifdef FORWARDS_END_IN_NOTHING
           /* A new session, and its cookie, while the old id still leads to the session of this browser. */
           walk_from(me.came);
           assert(!CHECKS(GRACE) || store[last].state != LIVE);
#endif
           goto to_refuse
        fi
     fi;
     goto next_step;

to_decide:
     if
     :: ACTION == ROTATE && me.key != me.came ->
        /* The id was rotated a moment ago. One rotation is enough: the change is kept. */
        if
        :: me.newCount != 0 -> forget_new()
        :: else
        fi;
        me.action = UPDATE; me.step = SWAPPING
     :: else -> me.step = (MOVES -> COPYING : SWAPPING)
     fi;
     goto next_step;

to_swap:
#ifdef DELETE_TO_END
     if
     :: ENDS -> forget(store[me.key]); goto to_end
     :: ACTION == LOGIN -> forget(store[me.key]); goto to_move
     :: else
     fi;
#endif
     k = (ENDS -> ENDED : (ACTION == LOGIN -> REPLACED : (ACTION == ROTATE -> FORWARD : LIVE)));
     last = (MOVES -> r + 1 : 0);
     make(k, me.count, last);
     send(me.key, me.count, me.tag, 1);
     if
     :: result == 0
     :: result == COMMITTED -> stored()
     :: result == GONE -> goto to_move_on
     :: result == CONFLICT ->
        if
#ifndef NO_COMMIT_IDS
        :: HAS_ID(store[me.key].ids, ID) -> stored()
#endif
#ifndef GUESS
        /* It may have been one of the commits that the record does not remember: 503. */
        :: !HAS_ID(store[me.key].ids, ID) && me.unanswered && store[me.key].count > me.count + COMMIT_IDS ->
#ifdef UNKNOWN_IS_REFUSED
           goto to_refuse
#else
           finish()
#endif
#endif
        :: else -> goto to_move_on
        fi
     fi;
     goto next_step;

     /* On from the record that is at the session's key now. */
to_move_on:
     if
     :: !THERE(me.key) ->
#ifdef NO_SUCCESSOR
        if :: ENDS -> goto to_end :: else fi;
#endif
        goto to_refuse
     :: THERE(me.key) && store[me.key].state == LIVE ->
        if
        :: ACTION == READS && me.saw != store[me.key].values -> goto to_refuse
#ifdef FATES_DO_NOT_RUN_AGAIN
        :: ENDS || MOVES
#endif
        :: else -> me.saw = store[me.key].values
        fi;
        stand();
        me.attempt++;
        printf("request %d goes on from key %d, version %d.%d, values %d\n", r, me.key, me.count, me.tag, me.values);
        goto to_decide
     :: THERE(me.key) && store[me.key].state == ENDED -> if :: ENDS -> goto to_end :: else -> goto to_refuse fi
     :: THERE(me.key) && store[me.key].state == REPLACED && !ENDS -> goto to_refuse
#ifdef NO_SUCCESSOR
     :: THERE(me.key) && store[me.key].state == REPLACED && ENDS -> goto to_end
     :: THERE(me.key) && store[me.key].state == FORWARD ->
#else
     :: THERE(me.key) && (store[me.key].state == FORWARD || (store[me.key].state == REPLACED && ENDS)) ->
#endif
        if
        :: me.hops < FORWARDS -> me.hops++; me.key = store[me.key].target; me.step = FOLLOWING
        :: else -> goto to_refuse
        fi
     fi;
     goto next_step;

     /* 409. Nobody has the new id, so its record goes. */
to_refuse:
     printf("request %d is refused\n", r);
     if
     :: !ENDS -> refused = refused | CHANGE(COMMIT)
     :: else
     fi;
     if
     :: MOVES && me.newCount != 0 -> forget_new()
     :: else
     fi;
     finish();
     goto next_step;

to_end:
     printf("request %d: logout acknowledged\n", r);
#if ROLLBACKS
     loggedOut = !forked;
#else
     loggedOut = 1;
#endif
     finish();
     goto next_step;

to_move:
     printf("request %d: new id %d acknowledged\n", r, r + 1);
     acknowledged = acknowledged | CHANGE(COMMIT);
     issued[r + 1] = 1;
     finish();

next_step:
     forget(next); result = 0; sound = 0; k = 0; last = 0 }
  od
}
