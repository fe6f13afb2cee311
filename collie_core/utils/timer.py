"""Times of the sections of a job."""

from time import perf_counter


class Timer:
    """Prints and returns how long sections of a job took, in minutes."""

    def __init__(self) -> None:
        self.start = perf_counter()
        self.last_check = self.start

    def time_since_start(self, message: str = "Total time") -> float:
        """Return the minutes since the timer was made, and print them with `message`."""
        return self._report(message + ": {:.2f} min", self.start)

    def timecheck(self, message: str = "Finished") -> float:
        """Return the minutes since the last check, and print them with `message`."""
        return self._report(message + " ({:.2f} min)", self.last_check)

    def _report(self, text: str, since: float) -> float:
        self.last_check = perf_counter()
        minutes = (self.last_check - since) / 60
        print(text.format(minutes))
        return minutes
