/*
 * One session and two stores: the read-through handler moves it from the old store to the new one at its first write.
 * N requests read, change and end it, while answers get lost, instances die, one store is away, and the switch is turned
 * back and forth. README.md says how to run it, ADR 26 what it leaves out.
 *
 * The protocol: copy, delete, commit. The first write stores an unchanged copy in the new store, marked as a copy; it
 * deletes the record in the old store; then it replaces the copy by an ordinary commit. A copy counts only where the
 * other store has nothing else. An end deletes in the old store first.
 */
#ifndef N
#define N 2             /* requests */
#endif
#ifndef FAULTS
#define FAULTS 2        /* commands whose answer is lost, done or not */
#endif
#ifndef OUTAGES
#define OUTAGES 1       /* times that a store is away */
#endif
#ifndef SWITCHES
#define SWITCHES 1      /* how often all instances stop and start again with the stores exchanged */
#endif
#ifndef EXPIRES
#define EXPIRES 1       /* closed records that expire */
#endif

/* Actions of a request. A login ends its old key just as a logout does. */
#define READ 1
#define CHANGE 2
#define CLOSE 3

/* States of a record. */
#define ABSENT 0
#define LIVE 1
#define COPY 2
#define CLOSED 3

typedef Record {
  byte state;
  byte count;           /* the version: count, commit, and whether it is a copy */
  byte by;
  short values          /* how often each request's change is in it, two bits each */
}

/* Steps of a request. */
#define WAITING 0
#define READING_NEW 1
#define READING_OLD 2
#define READING_AGAIN 3
#define LOADED 4
#define SWAPPING 5
#define LOOKING_NEW 6
#define LOOKING_OLD 7
#define COPYING 8
#define DELETING 9
#define DONE 10

typedef Request {
  byte step;
  byte action;
#ifdef TODAY
  bit lead;             /* the delete goes before the move */
  bit moved;            /* the delete is part of the move, and no afterthought */
#endif
  Record base;          /* the record that it stands on */
  Record seen           /* what it has seen in the new store, while it moves */
}

Record side[2];
Request request[N];
bit fresh = 1;          /* which of the two is the new store */
byte away = 2;          /* which store is away; 2 for none */
byte faults, outages, switches, expires, finished;
bit started;

/* For the checks only. */
short acknowledged, refused, shown;
bit closedForGood;      /* an end was acknowledged, or a reader has seen it */
bit everClosed;         /* an end was stored */

#define me request[r]
#define new side[fresh]
#define old side[1 - fresh]
#define MINE (1 << (2 * r))
#define TIMES(v, r) (((v) >> (2 * (r))) & 3)
#define SAME(a, b) (a.state == b.state && a.count == b.count && a.by == b.by)
#define IS_COPY_OF(a, b) (a.state == COPY && a.count == b.count && a.by == b.by)

inline copy(INTO, FROM) {
  INTO.state = FROM.state; INTO.count = FROM.count; INTO.by = FROM.by; INTO.values = FROM.values
}

inline forget(WHAT) { WHAT.state = 0; WHAT.count = 0; WHAT.by = 0; WHAT.values = 0 }

inline finish() {
#ifdef TODAY
  me.lead = 0; me.moved = 0;
#endif
  me.action = 0; forget(me.base); forget(me.seen);
  me.step = DONE;
  finished++
}

/* A command reaches its store (0), does and the answer is lost (1), or does not (2). */
inline reach(SIDE) {
  if
  :: away != SIDE -> how = 0
  :: away != SIDE && faults < FAULTS -> faults++; how = 1
  :: away != SIDE && faults < FAULTS -> faults++; how = 2
  :: away == SIDE -> how = 2
  fi
}

/* Without an answer a command is sent again, or given up: 503, or the instance died. */
inline unanswered() {
  if
  :: true
  :: printf("request %d gives up\n", r); finish()
  fi
}

#ifdef TODAY
#include "move-today.pml"
#else
#include "move-protocol.pml"
#endif
#include "move-checks.pml"
