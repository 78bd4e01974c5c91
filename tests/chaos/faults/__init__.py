"""The faults of the campaign, each by the name that --faults knows it by."""

from tests.chaos.faults.blow import Blow, Fault
from tests.chaos.faults.clock import Clock
from tests.chaos.faults.descriptors import Descriptors
from tests.chaos.faults.disk import Disk
from tests.chaos.faults.fsync import Fsync
from tests.chaos.faults.kill import Kill
from tests.chaos.faults.memory import Memory
from tests.chaos.faults.peers import Peers
from tests.chaos.faults.stop import Stop
from tests.chaos.faults.threads import Threads

__all__ = ["FAULTS", "Blow", "Fault"]

FAULTS: dict[str, Fault] = {
    "kill": Kill(),
    "disk": Disk(),
    "fsync": Fsync(),
    "clock": Clock(),
    "peers": Peers(),
    "descriptors": Descriptors(),
    "memory": Memory(),
    "threads": Threads(),
    "stop": Stop(),
}
