/* A request of move.pml, with the protocol that holds. */

/* A change tries the new store at once. An end looks first, because it deletes in the old store before anything else. */
#define FIRST_COMMAND (me.action == CLOSE -> LOOKING_NEW : SWAPPING)

proctype Browser(byte r) {
  byte how;
  Record found;

  do
  :: me.step == DONE -> break
  :: atomic { started && me.step != DONE ->
     how = 0;
     if
     :: me.step == WAITING -> me.step = READING_NEW

     :: me.step == READING_NEW ->
        reach(fresh);
        if
        :: how != 0 -> unanswered()
        :: how == 0 && (new.state == LIVE || new.state == CLOSED) -> copy(found, new); goto to_found
#ifdef COPY_COUNTS
        :: how == 0 && new.state == COPY -> copy(found, new); goto to_found
#endif
        :: else -> copy(me.seen, new); me.step = READING_OLD
        fi

     :: me.step == READING_OLD ->
        reach(1 - fresh);
        if
        :: how != 0 -> unanswered()
        :: how == 0 && old.state != ABSENT && !(me.seen.state == COPY && old.state == COPY) -> copy(found, old); goto to_found
        :: how == 0 && me.seen.state == COPY && (old.state == ABSENT || old.state == COPY) -> copy(found, me.seen); goto to_found
        :: how == 0 && me.seen.state == ABSENT && old.state == ABSENT -> me.step = READING_AGAIN
        fi

     :: me.step == READING_AGAIN ->
        reach(fresh);
        if
        :: how != 0 -> unanswered()
        :: else -> copy(found, new); goto to_found
        fi

     :: me.step == LOADED -> me.step = FIRST_COMMAND

     :: me.step == SWAPPING ->
        reach(fresh);
        if
        :: how == 2 -> unanswered()
        :: how != 2 && new.state != ABSENT && SAME(new, me.base) ->
#ifdef DELETE_TO_END
           if
           :: me.action == CLOSE -> forget(new)
           :: else
           fi;
#endif
           if
           :: new.state != ABSENT ->
              new.count++; new.by = r + 1;
              if
              :: me.action == CHANGE -> new.state = LIVE; new.values = new.values + MINE
              :: else -> new.state = CLOSED
              fi
           :: else
           fi;
           everClosed = everClosed || me.action == CLOSE;
           printf("request %d has stored (action %d)\n", r, me.action);
           if
           :: how == 0 -> goto to_acknowledge
           :: how == 1 -> unanswered()
           fi
        :: how == 1 && !(new.state != ABSENT && SAME(new, me.base)) -> unanswered()
        :: how == 0 && (new.state == LIVE || new.state == CLOSED) && !SAME(new, me.base) -> copy(found, new); goto to_conflict
        :: how == 0 && (new.state == ABSENT || (new.state == COPY && !SAME(new, me.base))) -> me.step = LOOKING_NEW
        fi

     :: me.step == LOOKING_NEW ->
        reach(fresh);
        if
        :: how != 0 -> unanswered()
        :: how == 0 && (new.state == CLOSED || (new.state == LIVE && !SAME(new, me.base))) -> copy(found, new); goto to_conflict
        :: how == 0 && new.state == LIVE && SAME(new, me.base) ->
#ifdef END_LEAVES_OLD
           me.step = SWAPPING
#else
           me.step = DELETING
#endif
        :: how == 0 && (new.state == COPY || new.state == ABSENT) -> copy(me.seen, new); me.step = LOOKING_OLD
        fi

     :: me.step == LOOKING_OLD ->
        reach(1 - fresh);
        if
        :: how != 0 -> unanswered()
        :: how == 0 && old.state == CLOSED -> copy(found, old); goto to_conflict
        :: how == 0 && old.state == ABSENT && me.seen.state == ABSENT -> goto to_refuse
        :: how == 0 && (old.state == ABSENT || old.state == COPY) && me.seen.state == COPY ->
           if
           :: SAME(me.seen, me.base) || IS_COPY_OF(me.seen, me.base) -> copy(me.base, me.seen); me.step = DELETING
           :: else -> copy(found, me.seen); goto to_conflict
           fi
        :: how == 0 && (old.state == LIVE || (old.state == COPY && me.seen.state == ABSENT)) ->
           if
           :: !(old.count == me.base.count && old.by == me.base.by) -> copy(found, old); goto to_conflict
           :: else -> copy(me.base, old); me.step = (IS_COPY_OF(me.seen, old) -> DELETING : COPYING)
           fi
        fi;
        if
        :: me.step == DELETING -> me.base.state = COPY; forget(me.seen)
        :: else
        fi

     :: me.step == COPYING ->
        reach(fresh);
        if
        :: how == 2 -> unanswered()
        :: how != 2 && (SAME(new, me.seen)) ->
           new.state = COPY; new.count = me.base.count; new.by = me.base.by; new.values = me.base.values;
           printf("request %d has stored a copy\n", r);
           if
           :: how == 0 -> me.base.state = COPY; forget(me.seen); me.step = DELETING
           :: else -> unanswered()
           fi
        :: how == 1 && !SAME(new, me.seen) -> unanswered()
        :: how == 0 && !SAME(new, me.seen) -> forget(me.seen); me.step = LOOKING_NEW
        fi

     :: me.step == DELETING ->
#ifdef COMMIT_BEFORE_DELETE
        /* Whether the old store has deleted is not waited for. */
        reach(1 - fresh);
        if
        :: how != 2 -> forget(old)
        :: else
        fi;
        me.step = SWAPPING
#else
        reach(1 - fresh);
        if
        :: how == 2 -> unanswered()
        :: else ->
           forget(old);
           printf("request %d has deleted in the old store\n", r);
           if
           :: how == 0 -> me.step = SWAPPING
           :: how == 1 -> unanswered()
           fi
        fi
#endif
     fi;
     goto next_step;

     /* What a read has found. */
to_found:
     printf("request %d (action %d) has read state %d, values %d\n", r, me.action, found.state, found.values);
     if
     :: found.state == LIVE || found.state == COPY ->
        if
        :: me.action == READ -> shown = shown | found.values; finish()
        :: else -> copy(me.base, found); forget(me.seen); me.step = LOADED
        fi
     :: found.state == CLOSED || found.state == ABSENT ->
        closedForGood = 1;
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
     :: else -> copy(me.base, found); forget(me.seen); me.step = FIRST_COMMAND
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
