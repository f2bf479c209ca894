#!/usr/bin/env python3
"""Compares src/place/network_simplex.c with solvers that others wrote.

Random problems go to the solver (through transport_driver.c, which this builds)
and to scipy: the assignment of single things to linear_sum_assignment, kinds
and lanes with amounts and group limits to the linear programs of HiGHS, first
for the most units, then for the greatest score at that number.  Every plan is
checked against the limits, and its sums are taken anew from its flows.

It is not part of `make test`, which needs no scipy.  To run it:

    apt-get install gcc python3-scipy
    /usr/bin/python3 test/reference/transport_reference.py            # a few minutes
    /usr/bin/python3 test/reference/transport_reference.py --quick    # a few seconds

Prints the greatest difference from the references and the times beside theirs;
the exit code is 1 if a plan places fewer units or is worse by more than 1e-9.
"""
import argparse
import math
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import coo_array, vstack

TOLERANCE = 1e-9
UNLIMITED = np.iinfo(np.int64).max
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..", "src")


class Problem:
    """Supplies, capacities, groups and scores, as place/network_simplex.h has them."""

    def __init__(self, supply, capacity, score, group=None, group_capacity=()):
        self.supply = np.asarray(supply, dtype=np.int64)
        self.capacity = np.asarray(capacity, dtype=np.int64)
        self.score = np.ascontiguousarray(score, dtype=np.float64)
        self.group_capacity = np.asarray(group_capacity, dtype=np.int64)
        self.group = None if group is None else np.asarray(group, dtype=np.int64)

    def to_bytes(self):
        sizes = np.array([len(self.supply), len(self.capacity), len(self.group_capacity)], dtype=np.int64)
        parts = [sizes, self.supply, self.capacity]
        if self.group is not None:
            parts += [self.group, self.group_capacity]
        return b"".join(part.tobytes() for part in parts + [self.score])

    def totals(self, kinds, lanes, amounts):
        """Checks flows against the limits; returns the units and their score."""
        assert (amounts > 0).all() and not np.isnan(self.score[kinds, lanes]).any()
        assert (np.bincount(kinds, amounts, len(self.supply)) <= self.supply).all()
        used = np.bincount(lanes, amounts, len(self.capacity))
        assert (used <= self.capacity).all()
        if self.group is not None:
            assert (np.bincount(self.group, used, len(self.group_capacity)) <= self.group_capacity).all()
        return int(amounts.sum()), math.fsum(self.score[kinds, lanes] * amounts)


class Driver:
    """The solver, as a program that stays."""

    def __init__(self, directory):
        program = os.path.join(directory, "transport_driver")
        # As in the server: optimized, no fused multiply-add, no assertions.
        subprocess.run(["gcc", "-O2", "-ffp-contract=off", "-DNDEBUG", "-DHWSCHED_STANDALONE", "-I" + SOURCE,
                        "-o", program, os.path.join(HERE, "transport_driver.c"),
                        os.path.join(SOURCE, "transport.c"), "-lm"], check=True)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def solve(self, problem):
        self.process.stdin.write(problem.to_bytes())
        self.process.stdin.flush()
        head = self.process.stdout.readline().split()
        flows = np.array([self.process.stdout.readline().split() for _ in range(int(head[3]))],
                         dtype=np.int64).reshape(-1, 3)
        assert len(flows) < len(problem.supply) + len(problem.capacity)
        assert (np.diff(flows[:, 0] * len(problem.capacity) + flows[:, 1]) > 0).all()
        placed, score = problem.totals(*flows.T)
        assert placed == int(head[0]) and abs(score - float(head[1])) <= 1e-12 * max(1, score)
        return placed, score, float(head[2]), " ".join(text.decode() for text in head[4:])


def solve_assignment(problem):
    """The best assignment of single things: a bonus for each makes their number come first."""
    bonus = len(problem.supply) + 1
    value = np.where(np.isnan(problem.score), 0, problem.score + bonus)
    start = time.perf_counter()
    kinds, lanes = linear_sum_assignment(value, maximize=True)
    seconds = time.perf_counter() - start
    real = ~np.isnan(problem.score[kinds, lanes])
    return (*problem.totals(kinds[real], lanes[real], np.ones(real.sum(), dtype=np.int64)), seconds)


def solve_program(problem):
    """The best plan by two linear programs; their vertices are whole numbers."""
    kinds, lanes = np.nonzero(~np.isnan(problem.score))
    pairs = np.arange(len(kinds))
    ones = np.ones(len(kinds))
    rows = [coo_array((ones, (kinds, pairs)), (len(problem.supply), len(kinds))),
            coo_array((ones, (lanes, pairs)), (len(problem.capacity), len(kinds)))]
    limits = [problem.supply, problem.capacity]
    if problem.group is not None:
        limited = problem.group_capacity < UNLIMITED
        rows.append(coo_array((ones, (problem.group[lanes], pairs)), (len(limited), len(kinds))).tocsr()[limited])
        limits.append(problem.group_capacity[limited])
    start = time.perf_counter()
    if len(kinds) == 0:
        return 0, 0.0, 0.0
    matrix = vstack(rows).tocsr()
    limit = np.concatenate(limits)
    most = linprog(-ones, matrix, limit, method="highs")
    number = round(-most.fun)
    best = linprog(-problem.score[kinds, lanes], matrix, limit, ones.reshape(1, -1), [number], method="highs",
                   options={"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10})
    seconds = time.perf_counter() - start
    amounts = np.rint(best.x).astype(np.int64)
    assert np.abs(best.x - amounts).max() < 1e-6
    used = amounts > 0
    placed, score = problem.totals(kinds[used], lanes[used], amounts[used])
    assert placed == number
    return placed, score, seconds


def random_scores(rng, shape, missing):
    """Scores of one of three sorts: all different, few different ones, or a product of qualities."""
    sort = rng.integers(3)
    if sort == 0:
        score = rng.random(shape)
    elif sort == 1:
        score = rng.integers(0, rng.integers(1, 8) + 1, shape) / 7
    else:
        score = np.outer(rng.random(shape[0]), rng.random(shape[1]))
    score[rng.random(shape) < missing] = np.nan
    return score


def random_assignment(rng, n):
    shape = (int(rng.integers(1, n + 1)), int(rng.integers(1, n + 1)))
    return Problem(np.ones(shape[0]), np.ones(shape[1]), random_scores(rng, shape, rng.choice([0, 0.3, 0.95])))


def random_transport(rng, n):
    shape = (int(rng.integers(1, n + 1)), int(rng.integers(1, n + 1)))
    supply = rng.integers(0, rng.choice([2, 10, 200]) + 1, shape[0])
    capacity = rng.integers(0, rng.choice([2, 10, 200]) + 1, shape[1])
    score = random_scores(rng, shape, rng.choice([0, 0.3, 0.9]))
    if rng.random() < 0.25:
        return Problem(supply, capacity, score)
    ngroups = int(rng.integers(1, shape[1] + 1))
    group = rng.integers(0, ngroups, shape[1])
    limit = rng.integers(0, int(2 * capacity.sum() / ngroups) + 2, ngroups)
    limit = np.where(rng.random(ngroups) < 0.2, UNLIMITED, limit)
    return Problem(supply, capacity, score, group, limit)


def compare(driver, name, problems, reference):
    """Compares totals; returns whether none is worse than the reference's."""
    shortfall = excess = 0.0
    fewer = more = rounds = 0
    for problem in problems:
        placed, score = driver.solve(problem)[:2]
        expected_placed, expected_score = reference(problem)[:2]
        fewer += placed < expected_placed
        more += placed > expected_placed
        if placed == expected_placed:
            shortfall = max(shortfall, expected_score - score)
            excess = max(excess, score - expected_score)
        rounds += 1
    print(f"{name}: {rounds} problems, {fewer} with fewer and {more} with more units than the reference, "
          f"score at most {shortfall:.1e} less and {excess:.1e} more", flush=True)
    return fewer == 0 and more == 0 and shortfall <= TOLERANCE


def report_time(driver, name, problem, reference=None):
    """Prints the times of both; returns whether the totals agree."""
    placed, score, seconds, work = driver.solve(problem)
    line = f"{name}: {seconds:.3f} s, {placed} placed, score {score:.9f} (pivots, arcs seen: {work})"
    agree = True
    if reference is not None:
        expected_placed, expected_score, reference_seconds = reference(problem)
        agree = placed == expected_placed and expected_score - score <= TOLERANCE
        line += f"; reference {reference_seconds:.3f} s, score {expected_score - score:+.1e}"
    print(line, flush=True)
    return agree


def grouped(rng, nkinds, nlanes, supply, capacity, share):
    """Lanes in groups of four that together take a share of what they could."""
    capacities = rng.integers(1, 2 * capacity, nlanes)
    group = np.arange(nlanes) // 4
    limit = np.ceil(np.bincount(group, capacities) * share).astype(np.int64)
    return Problem(np.full(nkinds, supply), capacities, rng.random((nkinds, nlanes)), group, limit)


def measure(driver, rng, quick):
    agree = True
    for n in (500, 1000) if quick else (500, 1000, 2000):
        ones = np.ones(n)
        quality = np.outer(rng.random(n), rng.random(n))
        for name, score in (("random", rng.random((n, n))), ("products", quality),
                            ("100 values", rng.integers(0, 100, (n, n)) / 100),
                            ("products and noise", 0.9 * quality + 0.1 * rng.random((n, n)))):
            agree &= report_time(driver, f"assignment, n = {n}, {name}", Problem(ones, ones, score), solve_assignment)
    for capacity, meaning in ((5, "scarce"), (50, "balanced"), (500, "ample")):
        capacities = rng.integers(1, 2 * capacity, 2000)
        for name, score in (("random", rng.random((500, 2000))), ("products", np.outer(rng.random(500), rng.random(2000)))):
            agree &= report_time(driver, f"500 kinds of 200, 2000 lanes, {meaning}, {name}",
                                 Problem(np.full(500, 200), capacities, score))
        agree &= report_time(driver, f"500 kinds of 200, 2000 lanes, {meaning}, in groups",
                             grouped(rng, 500, 2000, 200, capacity, 0.7))
    if not quick:
        agree &= report_time(driver, "50 kinds of 200, 200 lanes, in groups", grouped(rng, 50, 200, 200, 50, 0.7), solve_program)
        agree &= report_time(driver, "200 kinds of 200, 500 lanes, in groups", grouped(rng, 200, 500, 200, 50, 0.7), solve_program)
        agree &= report_time(driver, "200 kinds of 1000, 100000 lanes, in groups", grouped(rng, 200, 100000, 1000, 2, 0.7))
        scarce = Problem(np.full(200, 1000), np.ones(5000), np.outer(rng.random(200), rng.random(5000)))
        agree &= report_time(driver, "200 kinds of 1000, 5000 lanes of 1, products", scarce)
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and smaller problems")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rounds = 20 if options.quick else 200
    with tempfile.TemporaryDirectory() as directory:
        driver = Driver(directory)
        good = compare(driver, "small assignments", (random_assignment(rng, 20) for _ in range(5 * rounds)), solve_assignment)
        good &= compare(driver, "assignments up to 500", (random_assignment(rng, 500) for _ in range(rounds // 2)), solve_assignment)
        good &= compare(driver, "small transports", (random_transport(rng, 8) for _ in range(5 * rounds)), solve_program)
        good &= compare(driver, "transports up to 60", (random_transport(rng, 60) for _ in range(rounds)), solve_program)
        good &= measure(driver, rng, options.quick)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
