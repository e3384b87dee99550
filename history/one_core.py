"""numpy's linear algebra on one core.

What is computed here takes milliseconds, beside workers that use all cores. Threads that wait for each other's turn
then take many times as long as one alone: a query's vector took 12 ms so, and 28 to 115 ms on two threads.
"""

from __future__ import annotations


def compute_on_one_core() -> None:
    """From now on, in this process."""
    from threadpoolctl import threadpool_limits  # importing it sets a variable of the environment

    threadpool_limits(limits=1, user_api="blas")
