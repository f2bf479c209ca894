"""The bound of scaling advice by HiGHS, which SciPy brings: the linear program in which requests may
be split.  Reads what scaling.sql prints; exits with 1 if the advice costs more than 2 % above the
bound, or took half a second or longer."""
import sys
import time

import numpy
import scipy.optimize
import scipy.sparse

rows = [line.split() for line in sys.stdin]
types = numpy.array([[float(x) for x in row[1:]] for row in rows if row[0] == "type"])
requests = numpy.array([[float(x) for x in row[1:]] for row in rows if row[0] == "request"])
cost, seconds = next((float(row[1]), float(row[2])) for row in rows if row[0] == "advice")
costs, has = types[:, 0], types[:, 1:]
n, t, dims = len(requests), len(types), has.shape[1]

# how much of each request goes to each type into which it fits, then how many there are of each type
request, of_type = numpy.nonzero((requests[:, None, :] <= has[None, :, :]).all(axis=2))
x = len(request)
row, column, value = [], [], []
for d in range(dims):
    row.append(of_type * dims + d)
    column.append(numpy.arange(x))
    value.append(requests[request, d])
row.append(numpy.arange(t * dims))
column.append(x + numpy.repeat(numpy.arange(t), dims))
value.append(-has.reshape(-1))
began = time.monotonic()
solution = scipy.optimize.linprog(
    numpy.concatenate([numpy.zeros(x), costs]), method="highs",
    A_ub=scipy.sparse.csr_matrix((numpy.concatenate(value), (numpy.concatenate(row), numpy.concatenate(column))), (t * dims, x + t)),
    b_ub=numpy.zeros(t * dims),
    A_eq=scipy.sparse.csr_matrix((numpy.ones(x), (request, numpy.arange(x))), (n, x + t)), b_eq=numpy.ones(n))
took = time.monotonic() - began
print(f"{sys.argv[1]:<10} {n:>8} {cost:>10.1f} {solution.fun:>10.1f} {100 * (cost / solution.fun - 1):>8.2f} % {seconds:>8.3f} {took:>8.1f}")
sys.exit(cost > 1.02 * solution.fun or seconds >= 0.5)
