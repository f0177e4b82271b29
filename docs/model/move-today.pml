/* A request of move.pml, as ReadThroughHandler did it when hole F was found: the move and the commit are one record. */

#define STORE_MINE(kind) \
  new.count = me.base.count + 1; new.by = r + 1; \
  new.state = (kind == CHANGE -> LIVE : CLOSED); \
  new.values = me.base.values + (kind == CHANGE -> MINE : 0); \
  everClosed = everClosed || kind == CLOSE; \
  printf("request %d has stored (action %d)\n", r, kind)

proctype Browser(byte r) {
  byte how;
  Record found;

  do
  :: me.step == DONE -> break
  :: atomic { started && me.step != DONE ->
     how = 0;
     if
     :: me.step == WAITING -> me.step = READING_NEW

     :: me.step == READING_NEW || me.step == READING_OLD || me.step == READING_AGAIN ->
        if
        :: me.step == READING_OLD -> reach(1 - fresh); copy(found, old)
        :: else -> reach(fresh); copy(found, new)
        fi;
        if
        :: how != 0 -> unanswered()
        :: how == 0 && (found.state != ABSENT || me.step == READING_AGAIN) -> goto to_found
        :: else -> me.step++
        fi

     :: me.step == LOADED -> me.step = SWAPPING

     :: me.step == SWAPPING ->
        reach(fresh);
        if
        :: how == 2 -> unanswered()
        :: how != 2 && new.state != ABSENT && SAME(new, me.base) ->
           STORE_MINE(me.action);
           if
           :: how == 0 -> me.step = DELETING
           :: how == 1 -> unanswered()
           fi
        :: how == 1 && !(new.state != ABSENT && SAME(new, me.base)) -> unanswered()
        :: how == 0 && new.state != ABSENT && !SAME(new, me.base) -> copy(found, new); goto to_conflict
        :: how == 0 && new.state == ABSENT -> me.step = LOOKING_OLD
        fi

     :: me.step == LOOKING_OLD ->
        reach(1 - fresh);
        if
        :: how != 0 -> unanswered()
        :: how == 0 && old.state == ABSENT -> goto to_refuse
        :: how == 0 && old.state != ABSENT && !SAME(old, me.base) -> copy(found, old); goto to_conflict
        :: how == 0 && old.state != ABSENT && SAME(old, me.base) ->
           me.lead = (me.action == CLOSE);
           me.step = (me.action == CLOSE -> DELETING : COPYING)
        fi

     :: me.step == COPYING ->
        me.lead = 0;
        reach(fresh);
        if
        :: how == 2 -> unanswered()
        :: how != 2 && new.state == ABSENT ->
           STORE_MINE(me.action);
           if
           :: how == 0 -> me.moved = 1; me.step = DELETING
           :: how == 1 -> unanswered()
           fi
        :: how == 1 && new.state != ABSENT -> unanswered()
        :: how == 0 && new.state != ABSENT -> copy(found, new); goto to_conflict
        fi

     :: me.step == DELETING ->
        reach(1 - fresh);
        if
        :: how != 2 -> forget(old); printf("request %d has deleted in the old store\n", r)
        :: else
        fi;
        if
        :: how == 0 && me.lead -> me.step = COPYING
        :: how == 0 && !me.lead -> goto to_acknowledge
        :: how != 0 && !me.moved && me.action == CHANGE -> goto to_acknowledge
        :: how != 0 && (me.moved || me.action == CLOSE) -> unanswered()
        fi
     fi;
     goto next_step;

     /* What a read has found. */
to_found:
     printf("request %d (action %d) has read state %d, values %d\n", r, me.action, found.state, found.values);
     if
     :: found.state == LIVE ->
        if
        :: me.action == READ -> shown = shown | found.values; finish()
        :: else -> copy(me.base, found); me.step = LOADED
        fi
     :: found.state == CLOSED || found.state == ABSENT ->
        closedForGood = closedForGood || me.action == CLOSE;
        if
        :: me.action == CHANGE -> refused = refused | MINE
        :: else
        fi;
        finish()
     fi;
     goto next_step;

     /* What a commit has found in place of what it stands on. */
to_conflict:
     if
     :: found.by == r + 1 || TIMES(found.values, r) -> goto to_acknowledge
     :: else
     fi;
     if
     :: found.state == CLOSED && me.action == CLOSE -> goto to_acknowledge
     :: found.state == CLOSED && me.action == CHANGE -> goto to_refuse
     :: else -> copy(me.base, found); me.step = SWAPPING
     fi;
     goto next_step;

to_refuse:
     printf("request %d is refused\n", r);
     if
     :: me.action == CHANGE -> refused = refused | MINE
     :: else
     fi;
     finish();
     goto next_step;

to_acknowledge:
     printf("request %d is acknowledged (action %d)\n", r, me.action);
     if
     :: me.action == CHANGE -> acknowledged = acknowledged | MINE
     :: else -> closedForGood = 1
     fi;
     finish();

next_step:
     forget(found); how = 0 }
  od
}
