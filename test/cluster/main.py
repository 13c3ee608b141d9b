"""script/cluster: PostgreSQL with a synchronous standby and nodes on it, with the demo's world, until
Ctrl-C.

  --nodes N    so many (3)
"""

import argparse
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

from harness.cluster import Cluster  # noqa: E402
from harness.server import BINARY  # noqa: E402


def token_of(cluster):
    """The data directory that has the operator's token."""
    return next(node.data for node in cluster.nodes
                if os.path.exists(os.path.join(node.data, "operator.token")))


def show(cluster):
    print("A cluster in a scratch folder:\n")
    for node in cluster.nodes:
        print(f"  {node.name:<9} {node.base}   process {node.process.pid}, its data in {node.data}")
    for name, place in zip(("primary", "standby"), cluster.database.places):
        print(f"  {name:<9} psql -h {place.folder} -U postgres postbackd   process "
              f"{place.server.pid}")
    print(f"\n  postbackd admin --url {cluster.base} --data {token_of(cluster)} nodes list\n",
          flush=True)


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--nodes", type=int, default=3)
    options = parser.parse_args()
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, interrupted)
    try:
        with Cluster(nodes=options.nodes, standby=True, rate_limit=None) as cluster:
            show(cluster)
            demo = subprocess.Popen([BINARY, "demo", "--url", cluster.base, "--data",
                                     token_of(cluster)])
            try:
                code = demo.wait()
            finally:
                if demo.poll() is None:
                    demo.terminate()
                    demo.wait()
            for node in cluster.nodes:
                node.stop()
            return code
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
