/* What move.pml checks when all requests have ended, before each turn of the switch and in the end, whichever store is asked first. */

/* The properties. A planted fault is verified with one of them alone, so that each is known to fail where it should. */
#ifndef ONLY
#define ONLY 15
#endif
#define LOST 1          /* nothing acknowledged is lost */
#define SHOWN 2         /* what a reader was shown is there; what was refused is not, and nothing is there twice */
#define RETURN 4        /* an end that was acknowledged, or seen, stays */
#define SIGNED_OUT 8    /* nobody is signed out by what did not end the session */
#define CHECKS(property) ((ONLY & (property)) != 0)

#if N == 2
#define ONCE (TIMES(values, 0) <= 1 && TIMES(values, 1) <= 1)
#define ALL(what) (what(0) && what(1))
#else
#define ONCE (TIMES(values, 0) <= 1 && TIMES(values, 1) <= 1 && TIMES(values, 2) <= 1)
#define ALL(what) (what(0) && what(1) && what(2))
#endif
#define RESTS(r) (request[r].step == WAITING || request[r].step == LOADED || request[r].step == DONE)
#define STOPPED(r) (request[r].step == WAITING || request[r].step == DONE)

/* What a read finds where FIRST is asked first. */
inline look(FIRST) {
#ifdef TODAY
  where = (side[FIRST].state != ABSENT -> FIRST : 1 - FIRST);
#else
  where = FIRST;
  if
  :: side[FIRST].state == ABSENT || (side[FIRST].state == COPY && side[1 - FIRST].state != ABSENT && side[1 - FIRST].state != COPY) ->
     where = 1 - FIRST
  :: else
  fi;
#endif
  values = side[where].values;
  alive = side[where].state == LIVE || side[where].state == COPY
}

inline check(FIRST) {
  look(FIRST);
  assert(!CHECKS(LOST) || !alive || (acknowledged & ~values) == 0);
  assert(!CHECKS(SHOWN) || !alive || ((shown & ~values) == 0 && (refused & values) == 0 && ONCE));
  assert(!CHECKS(RETURN) || !closedForGood || !alive);
  assert(!CHECKS(SIGNED_OUT) || everClosed || alive)
}

inline check_both() {
  check(0);
  check(1);
  where = 0; values = 0; alive = 0
}

active proctype Operator() {
  byte where;
  short values;
  bit alive;
end:
  do
  :: atomic { started && switches < SWITCHES && ALL(STOPPED) ->
       check_both();
       printf("the switch is turned\n");
       switches++; fresh = 1 - fresh }
  :: atomic { outages < OUTAGES && away == 2 -> outages++; printf("a store is away\n"); if :: away = 0 :: away = 1 fi }
  :: atomic { away != 2 -> away = 2 }
  :: atomic { expires < EXPIRES && ALL(RESTS) && side[0].state == CLOSED -> expires++; printf("an end expires\n"); forget(side[0]) }
  :: atomic { expires < EXPIRES && ALL(RESTS) && side[1].state == CLOSED -> expires++; printf("an end expires\n"); forget(side[1]) }
  od
}

init {
  byte r, lowest = READ, where;
  short values;
  bit alive;
  atomic {
    side[0].state = LIVE; side[0].count = 1;
    for (r : 0 .. N - 1) {
      if
      :: lowest <= READ -> lowest = READ
      :: lowest <= CHANGE -> lowest = CHANGE
      :: lowest <= CLOSE -> lowest = CLOSE
      fi;
      me.action = lowest;
      run Browser(r)
    }
    r = 0; lowest = 0; started = 1
  }
  atomic { finished == N -> check_both() }
}
