#!/usr/bin/env python3
"""Compares the solver "optimal", through SQL, with HiGHS.

Makes random pools in which each test takes one slot, asks compatible_hardware()
for the scores, solves the same problem as a linear program, and compares what
plan_pending() places and is worth.  Prints the greatest gap.

    apt-get install python3-scipy
    PGDATABASE=... /usr/bin/python3 test/reference/batch_reference.py [ROUNDS]

psql has to reach a database with the extension, as an administrator; the pool
"batch_reference" is made and dropped.  Not part of `make test`, which needs no
scipy.
"""
import json
import random
import subprocess
import sys

from scipy.optimize import linprog
from scipy.sparse import lil_matrix

POOL = 'batch_reference'
POLICIES = [{'hardware_aware': 1}, {'hardware_aware': 0.7, 'priority': 0.2, 'weighted_round_robin': 0.1},
            {'predicted_time': 1}, {'hardware_aware': 0.5, 'cost': 0.5}]


def sql(text):
    """Runs SQL text in psql and returns its rows as lists of texts."""
    result = subprocess.run(['psql', '-qAtX', '-v', 'ON_ERROR_STOP=1'], input=text, capture_output=True, text=True)
    if result.returncode:
        sys.exit(result.stderr.strip()[-500:])
    return [line.split('|') for line in result.stdout.splitlines() if line]


def random_worker(rng):
    device = lambda: {'hardware_class': rng.choice(['gpu', 'tpu', 'npu', 'cpu']), 'compute_units': rng.choice([10, 50, 120]),
                      'memory_total_bytes': rng.choice([4, 8, 32]) * 2**30,
                      'supported_backends': rng.sample(['cuda', 'onnx', 'pytorch'], 2)}
    worker = {'cpu_cores': rng.choice([0, 4, 64]), 'available_memory': rng.choice([8, 64]),
              'cost_per_hour': rng.randint(1, 9), 'devices': [device() for _ in range(rng.randint(1, 2))]}
    if rng.random() < 0.3:
        worker['max_concurrent'] = rng.randint(1, 3)
    return worker


def random_test(rng, number):
    test = {'test_id': f't{number:03}', 'test_type': rng.choice(['vision', 'nlp', 'training', 'inference']),
            'expected_duration': rng.choice([5, 60, 200])}
    if rng.random() < 0.4:
        test['required_backend'] = rng.choice(['cuda', 'onnx', 'gpu'])
    return test


def make_pool(rng, slots):
    workers = rng.randint(5, 40)
    settings = {'solver': 'optimal', 'max_concurrent': slots, 'policy': rng.choice(POLICIES)}
    text = [f"BEGIN; SELECT hwsched.create_pool('{POOL}', '{json.dumps(settings)}');"]
    for i in range(workers):
        load = {'cpu_utilization': rng.randint(0, 80), 'gpu_utilization': rng.randint(0, 80), 'temperature': rng.random()}
        text.append(f"SELECT hwsched.register_worker('w{i:03}', '{json.dumps(random_worker(rng))}', '{POOL}');"
                    f"SELECT hwsched.update_load('w{i:03}', '{json.dumps(load)}', '{POOL}');")
    tests = [random_test(rng, i) for i in range(rng.randint(5, int(workers * slots * 1.6) + 5))]
    text.append(f"SELECT hwsched.submit_many('{json.dumps(tests)}', '{POOL}'); COMMIT;")
    sql('\n'.join(text))


def best_plan(score, limits, slots):
    """Returns how many tests can be placed at the most, and the greatest total score of so many."""
    pairs = list(score)
    rows = {}
    bounds = []
    for kind, most in [(lambda p: ('test', p[0]), lambda p: 1), (lambda p: ('device',) + p[1:], lambda p: slots),
                       (lambda p: ('worker', p[1]), lambda p: limits.get(p[1], len(pairs)))]:
        for pair in pairs:
            if kind(pair) not in rows:
                rows[kind(pair)] = len(bounds)
                bounds.append(most(pair))
    matrix = lil_matrix((len(bounds), len(pairs)))
    for column, pair in enumerate(pairs):
        for row in ('test', pair[0]), ('device',) + pair[1:], ('worker', pair[1]):
            matrix[rows[row], column] = 1
    matrix = matrix.tocsr()
    most = linprog([-1] * len(pairs), A_ub=matrix, b_ub=bounds, bounds=(0, 1), method='highs')
    placed = round(-most.fun)
    best = linprog([-score[p] for p in pairs], A_ub=matrix, b_ub=bounds, A_eq=[[1] * len(pairs)], b_eq=[placed],
                   bounds=(0, 1), method='highs')
    return placed, -best.fun


def main():
    greatest = 0
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 20):
        rng = random.Random(seed)
        slots = rng.choice([1, 1, 2, 3])
        make_pool(rng, slots)
        score = {(t, w, d): float(s) for t, w, d, s in sql(
            f"SELECT s.workload_id, h.worker_id, h.device_no, h.score FROM hwsched.submission s, "
            f"hwsched.compatible_hardware(s.workload_id, '{POOL}') h WHERE s.pool = '{POOL}' AND h.reason IS NULL")}
        limits = {w: int(n) for w, n in sql(
            f"SELECT worker_id, max_concurrent FROM hwsched.worker WHERE pool = '{POOL}' AND max_concurrent > 0")}
        plan = sql(f"SELECT workload_id, worker_id, device_nos[1], score FROM hwsched.plan_pending(pool => '{POOL}')")
        sql(f"SELECT hwsched.drop_pool('{POOL}')")
        placed, best = best_plan(score, limits, slots)
        total = sum(score[t, w, d] for t, w, d, _ in plan)
        gap = best - total
        greatest = max(greatest, abs(gap))
        print(f'pool {seed}: {len(plan)} of {placed} placed, score {total:.9f}, gap {gap:.2e}')
        if len(plan) != placed or abs(total - sum(float(s) for _, _, _, s in plan)) > 1e-9:
            sys.exit('the plan is not what it should be')
    print(f'greatest gap {greatest:.2e}')


main()
