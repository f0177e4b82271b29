/*
 * One session in one store. N requests load it and commit at once, while answers get lost, closed records expire and
 * the store is rolled back. README.md says how to run it, ADR 26 what it leaves out.
 *
 * A step of a process is one command at the store, together with what the engine does before the next one.
 */
#ifndef N
#define N 2             /* requests */
#endif
#ifndef COMMITS
#define COMMITS 1       /* commits of a request; all but the last are early commits of a blind change */
#endif
#ifndef EARLY
#define EARLY N         /* how many requests have so many, the others have one */
#endif
#ifndef FAULTS
#define FAULTS 1        /* commands whose answer is lost, or that arrive late */
#endif
#ifndef EXPIRES
#define EXPIRES 1       /* closed records that expire */
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0     /* failovers to a replica that lags behind: 0 or 1 */
#endif
#ifndef ACTIONS
#define ACTIONS 127     /* the actions that a request may choose, see below */
#endif
#ifndef VERSION
#define VERSION 2       /* a version is 0 a count, 1 also its commit's id, 2 also the record that the commit was made on */
#endif

/*
 * The properties. A planted fault is verified with one of them alone, so that each is known to fail where it should.
 */
#ifndef ONLY
#define ONLY 1023
#endif
#define LOST 1          /* nothing acknowledged is lost, but what the store itself lost */
#define TWICE 2         /* nothing is applied twice */
#define REFUSED 4       /* nothing refused is there */
#define LOGOUT 8        /* after an acknowledged logout nothing is alive that was made from the session */
#define TWO 16          /* one session never becomes two */
#define STALE 32        /* a commit replaces the very record that it was made on */
#define SAW 64          /* what a decision has read is what its commit replaces, also when it only ends or moves the session */
#define RETURN 128      /* a commit replaces a live record: nothing destroyed returns */
#define LATE 256        /* an id that a login has replaced ends nothing */
#define GRACE 512       /* an old id within its grace begins no new session */
#define CHECKS(property) ((ONLY & (property)) != 0)

/* Scaled down from SessionRecord.MaxCommitIds and SessionManager.MaxForwards (8 and 8): few requests go beyond them. */
#define COMMIT_IDS 2
#define FORWARDS 1

/* Actions of a request. */
#define BLIND 1         /* a change */
#define UPDATE 2        /* a change inside UpdateAsync, which runs again */
#define READS 4         /* a change after a read in plain code, which is refused when that differs */
#define LOGIN 8         /* RegenerateId(true) and a change, inside UpdateAsync */
#define ROTATE 16       /* RegenerateId(false) and a change, inside UpdateAsync */
#define DESTROY 32      /* Destroy(), blind */
#define DECIDE 64       /* Destroy() inside UpdateAsync */

/* States of a record; the numbers are those of SessionState, plus one. */
#define ABSENT 0
#define LIVE 1
#define ENDED 2
#define REPLACED 3
#define FORWARD 4

typedef Record {
  byte state;
  bit expired;          /* the store does not have it any more; only the checks follow it */
  byte count;           /* the version: a count and a tag */
  byte tag;
  byte ids;             /* its last COMMIT_IDS commits, newest first, four bits each */
  short values;         /* how often each commit's change is in it, two bits each */
  byte target           /* the key that a closed record leads to */
}

/* Steps of a request. */
#define WAITING 0
#define LOADING 1
#define LOADED 2
#define COPYING 3       /* stores the record of the new id */
#define SWAPPING 4      /* stores the session's own record */
#define FOLLOWING 5
#define CHECKING_NEW 6  /* was the store rolled back since the first of the two commands? */
#define CHECKING_OLD 7
#define DONE 8

typedef Request {
  byte step;
  byte action;
  byte came;            /* the key of the cookie's id */
  byte key;             /* the key of the session */
  byte hops;
  byte commit;          /* the number of its commit */
  byte attempt;         /* on how many records this commit was made so far */
  bit unanswered;       /* a command for this record got no answer */
  bit late;             /* its id was replaced by a login before it came */
  byte count;           /* the record that it stands on */
  byte tag;
  byte ids;
  short values;
  short saw;            /* the values that its decision rests on */
  byte newCount;        /* the version of the record of its new id; 0 while there is none */
  byte newTag
}

#define KEYS (N + 1)    /* key 0, and one for the new id of each request */
Record store[KEYS];
Request request[N];
byte faults, expires, finished;
bit started;

typedef Message { bit used; byte key; byte count; byte tag; bit own; short base; Record record }
Message late;           /* a command that was sent and has not arrived */

#if ROLLBACKS
Record replica[KEYS];
bit rolledBack;
bit torn;               /* a login or rotation died after the roll-back, before its second look */
bit forked;             /* the roll-back itself brought an old id back beside its successor */
#endif

/* For the checks only: what browsers were told. */
bit issued[KEYS];
short acknowledged, refused, excused;
bit loggedOut;

#define me request[r]
#define CHANGE(c) (1 << (2 * (c)))
#define TIMES(v, c) (((v) >> (2 * (c))) & 3)
#define COMMIT (r * COMMITS + me.commit)
#define ID (COMMIT + 1)
#define COMMITS_OF(r) (r < EARLY -> COMMITS : 1)
#define ACTION (me.commit + 1 < COMMITS_OF(r) -> BLIND : me.action)
#define IS(set) ((ACTION & (set)) != 0)
#define ENDS IS(DESTROY | DECIDE)
#define MOVES IS(LOGIN | ROTATE)
#define DECIDES IS(UPDATE | READS | LOGIN | ROTATE | DECIDE)
#define THERE(k) (store[k].state != ABSENT && !store[k].expired)
#define HAS_ID(list, id) (((list) & 15) == (id) || (((list) >> 4) & 15) == (id))
#define ALIVE(k) (issued[k] && store[k].state == LIVE)
#if VERSION == 0
#define SAME(k, c, t) (store[k].count == (c))
#else
#define SAME(k, c, t) (store[k].count == (c) && store[k].tag == (t))
#endif

inline copy(INTO, FROM) {
  INTO.state = FROM.state; INTO.expired = FROM.expired; INTO.count = FROM.count; INTO.tag = FROM.tag;
  INTO.ids = FROM.ids; INTO.values = FROM.values; INTO.target = FROM.target
}

/* Where a key leads to in the end, through closed records, expired or not; to nothing where the successor is missing. */
inline walk_from(KEY) {
  last = KEY;
  do
  :: store[last].state == REPLACED || store[last].state == FORWARD -> last = store[last].target
  :: else -> break
  od
}

#include "session-store.pml"
#include "session-engine.pml"
#include "session-checks.pml"
