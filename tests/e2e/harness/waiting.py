"""Waiting for a condition instead of for a time."""
import time


def wait_until(condition, what, seconds=30, every=0.05):
    """Returns the first true value of `condition()`. Raises TimeoutError, saying `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f'waited {seconds} s for {what}')
        time.sleep(every)
