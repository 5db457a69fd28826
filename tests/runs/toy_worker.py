"""The worker with the toy jobs of the tests beside the real ones."""

import os
import sys
from pathlib import Path

from pruning.runs import jobs, worker

jobs.__path__.append(str(Path(__file__).with_name("toy_jobs")))

if __name__ == "__main__":
    if sys.argv[1:] == ["--warm"]:
        worker._await_folder = lambda: Path(sys.stdin.readline().rstrip("\n") or os._exit(0))
    code = worker.main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
