"""What is done to a cluster: a table.  Each begins something, holds it for a while, and ends it; the
run waits until all nodes are ready before the next one."""

LEASE = 10.0  # seconds


class Misfortune:
    """name, whether attempts that are under way may be lost to the record, and what is done: a
    generator, which yields the seconds to wait at each step."""

    def __init__(self, name, do, in_flight=True, of_a_node=True):
        self.name, self.do, self.in_flight, self.of_a_node = name, do, in_flight, of_a_node


def kill(run, node):
    node.kill()
    yield run.chance.choice([0, 2, LEASE + 3])
    node.start(60)


def suspend(run, node):
    node.suspend()
    yield LEASE + run.chance.uniform(1, 5)
    node.resume()


def suspend_shortly(run, node):
    node.suspend()
    yield run.chance.uniform(0.2, LEASE - 2)
    node.resume()


def cut(run, node):
    node.roads.cut()
    yield run.chance.uniform(0.5, LEASE + 4)
    node.roads.mend()


def silence(run, node):
    node.roads.silence()
    yield run.chance.uniform(0.5, LEASE + 4)
    node.roads.mend()


def slow(run, node):
    node.roads.slow(run.chance.uniform(0.02, 0.15))
    yield run.chance.uniform(3, 6)
    node.roads.mend()


def clock(run, node):
    node.faults.clock_offset_ms = run.chance.choice([-2000, 2000])
    yield run.chance.uniform(3, 8)
    node.faults.clock_offset_ms = 0


def begin_again(run, node):
    """Stopped properly, and started."""
    code = node.stop()
    if code != 0:
        run.wrong(f"{node.name} ended with {code}:\n{node.log()[-3000:]}")
    yield run.chance.uniform(0, 3)
    node.start(60)


def drain(run, node):
    """It leaves its work to the others, and takes its share again."""
    address = node.base.split("//")[1]
    name = next(one["Name"] for one in run.operator("GET", "Nodes")["Nodes"]
                if one["Address"] == address)
    run.operator("POST", f"Nodes/{name}/Drain")
    yield run.chance.uniform(1, 6)
    run.operator("POST", f"Nodes/{name}/Undrain")


def join_and_leave(run, _):
    node = run.cluster.join()
    run.say(f"{node.name} has joined")
    yield run.chance.uniform(3, 6)
    left = run.chance.choice(run.cluster.nodes)
    run.say(f"{left.name} leaves")
    code = run.cluster.leave(left)
    if code != 0:
        run.wrong(f"{left.name} ended with {code}:\n{left.log()[-3000:]}")


def database_restarts(run, _):
    run.cluster.database.kill()
    yield run.chance.choice([0, 2, LEASE + 2])
    run.cluster.database.restart()


def fail_over(run, _):
    run.cluster.database.fail_over()
    yield run.chance.uniform(0, 3)
    run.cluster.database.add_standby()


def standby_restarts(run, _):
    """Commits wait for it."""
    run.cluster.database.standby.kill()
    yield run.chance.uniform(0, 5)
    run.cluster.database.standby.start()


ALL = [
    Misfortune("kill", kill),
    Misfortune("suspend", suspend),
    Misfortune("suspend shortly", suspend_shortly),
    Misfortune("cut", cut),
    Misfortune("silence", silence),
    Misfortune("slow", slow),
    Misfortune("clock", clock, in_flight=False),
    Misfortune("begin again", begin_again, in_flight=False),
    Misfortune("drain", drain, in_flight=False),
    Misfortune("join and leave", join_and_leave, in_flight=False, of_a_node=False),
    Misfortune("database restarts", database_restarts, of_a_node=False),
    Misfortune("fail over", fail_over, of_a_node=False),
    Misfortune("standby restarts", standby_restarts, of_a_node=False),
]
