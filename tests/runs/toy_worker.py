"""The worker with the toy jobs of the tests beside the real ones."""

import os
import sys
from pathlib import Path

from pruning.runs import jobs, warming, worker

jobs.__path__.append(str(Path(__file__).with_name("toy_jobs")))

if __name__ == "__main__":
    if sys.argv[1:] == ["--warm"]:
        warming.warm = lambda: None
        warming.rehearse = lambda keras: None
    code = worker.main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
