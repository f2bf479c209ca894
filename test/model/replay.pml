/*
 * replay.pml
 *		Follows a real server: reads what it has committed, change by change, and
 *		holds it to tables.pml.
 *
 *	spin -T -DA=... -DW=... -DK=... replay.pml <trace
 *
 * A line of a trace is a letter and numbers; where a state is meant, its letter.
 * test/t/Trace.pm writes them.
 *
 *	w worker capacity offline					worker
 *	v worker									worker, deleted
 *	u worker assignments						worker_usage
 *	s workload outcome attempts					submission
 *	q workload attempt							pending, 0: deleted
 *	a id workload worker attempt state gang		assignment
 *	h id										assignment, deleted
 *	n id there									unsettled, 0: deleted
 *	.											commit
 *	z											the end
 */
#define NUMBER int
#include "tables.pml"

#define MOST 100000				/* changes of one transaction */

Tables db;
chan STDIN;
int c, f, i;
int n[7];
int line, commits;
int workloads[MOST], workers[MOST];	/* that this transaction has touched */
int touched;

inline touch(item, on)
{
	assert(touched < MOST);
	workloads[touched] = item;
	workers[touched] = on;
	touched++
}

inline read_line()
{
	f = 0;
	n[0] = 0;
	do
	:: STDIN ? c ->
		if
		:: c == '\n' -> break
		:: c == ' ' -> f++; n[f] = 0
		:: c >= '0' && c <= '9' -> n[f] = 10 * n[f] + c - '0'
		:: else -> n[f] = c
		fi
	od;
	line++
}

active proctype replay()
{
	do
	:: read_line();
		if
		:: n[0] == 'w' -> worker_is(db, n[1], n[2], n[3]); touch(0, n[1])
		:: n[0] == 'v' -> worker_goes(db, n[1]); touch(0, n[1])
		:: n[0] == 'u' -> usage_is(db, n[1], n[2]); touch(0, n[1])
		:: n[0] == 's' -> submission_is(db, n[1], n[2], n[3]); touch(n[1], 0)
		:: n[0] == 'q' -> queued_is(db, n[1], n[2]); touch(n[1], 0)
		:: n[0] == 'a' ->
			db.gang[n[2]] = n[6];
			assignment_is(db, n[1], n[2], n[3], n[4], n[5]);
			touch(n[2], n[3])
		:: n[0] == 'h' -> assignment_goes(db, n[1])
		:: n[0] == 'n' ->
			unsettled_is(db, n[1], n[2]);
			touch(db.workload[n[1]], db.worker[n[1]])
		:: n[0] == '.' ->
			for (i : 0 .. touched - 1) {
				workload_holds(db, workloads[i]);
				worker_holds(db, workers[i])
			}
			touched = 0;
			commits++;
			printf("%d\n", line)
		:: n[0] == 'z' -> break
		:: else -> assert(false)
		fi
	od;
	printf("%d commits\n", commits)
}
