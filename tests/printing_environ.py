"""A helper that prints what it knows of its surroundings."""

import json
import os
import sys

if __name__ == "__main__":
    json.dump({"environ": dict(os.environ), "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))}, sys.stdout)  # noqa: PTH208
