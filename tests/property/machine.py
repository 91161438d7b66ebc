"""A vehicle, its maker and a thief who takes turns with him, as Hypothesis plays them.

Each rule is one event; what a Commit may do is judged inside the nodes, as it happens. `heal` may
come at any time: whatever was done to the vehicle before, it is current after it.
"""

import cbor2
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from maker import BRAKE, DOOR, GATEWAY, NOW, VEHICLE
from tests.property import reading
from tests.property.makers import DAY, ECUS, ONLINE, Maker
from tests.property.nodes import Make, nodes_of
from uptane.ids import DIRECTOR, IMAGE, KEY_EXPIRES, ROOT, SNAPSHOT, TARGETS, TIME, TIMESTAMP
from uptane.limits import VERSION_MAX

ecus = st.sampled_from((DOOR, BRAKE, GATEWAY))
repositories = st.sampled_from((DIRECTOR, IMAGE))
online = st.sampled_from(ONLINE)
files = st.sampled_from((ROOT, *ONLINE))
thefts = st.sampled_from(((TARGETS,), (TIMESTAMP,), (TIMESTAMP, SNAPSHOT), ONLINE, (TIME,)))
jumps = st.sampled_from((-2, -1, 0, 0, 1, 1, 2, VERSION_MAX // 2))
releases = st.integers(-2, 2)


class Vehicle(RuleBasedStateMachine):
    """`make` is what its ECUs are made of, `maker` who makes them; the keys of the
    `robbed` roles are the thief's from the start and after each healing.
    """

    make = Make
    maker = Maker
    robbed = ()

    def __init__(self):
        super().__init__()
        self.oem = self.maker()
        self.nodes = nodes_of(self.oem, self.make)
        self.counters = dict.fromkeys(self.nodes, 0)
        self.rob()
        self.oem.campaign()
        for ecu in self.nodes:
            self.cycle(ecu)
        self.oem.campaign()

    def rob(self):
        for number in (DIRECTOR, IMAGE):
            self.oem.steal(number, self.robbed)

    # --- the maker ----------------------------------------------------------------------------

    @rule(some=st.sampled_from((ECUS, ECUS, (GATEWAY, BRAKE), (DOOR,), ())))
    def publish(self, some):
        self.oem.campaign(some)

    @rule(number=repositories, roles=st.sets(st.sampled_from((*ONLINE, ROOT, TIME)), min_size=1))
    def replace_keys(self, number, roles):
        known = self.oem.repositories[number].keys
        self.oem.replace(number, sorted(role for role in roles if role in known))

    @rule(number=repositories, role=online, threshold=st.integers(1, 2))
    def add_a_key(self, number, role, threshold):
        """Two hold the role now; what one signed is good as long as the threshold is one."""
        self.oem.add(number, role, threshold)

    @rule(seconds=st.sampled_from((1, 3600, DAY - 3600, DAY, 31 * DAY)))
    def wait(self, seconds):
        self.oem.now += seconds
        for node in self.nodes.values():
            node.wait(seconds)

    # --- an ECU -------------------------------------------------------------------------------

    def cycle(self, ecu, bent=None, wants_max=None):
        """A cycle that is fed by the maker, except for the files that are `bent`."""
        node = self.nodes[ecu]
        node.hear(self.oem.attest([node.ask()], self.oem.now))
        self.refresh(ecu, bent, wants_max)

    def refresh(self, ecu, bent=None, wants_max=None):
        bent = bent or {}

        def answer(want):
            known = (want.repository, want.number)
            return bent[known] if known in bent else self.oem.answer(want)

        decision = self.nodes[ecu].judged_cycle(answer, wants_max)
        if decision is not None:
            self.nodes[ecu].confirm(decision)

    @rule(ecu=ecus)
    def update(self, ecu):
        self.cycle(ecu)

    @rule(ecu=ecus, wants=st.integers(0, 12))
    def break_off(self, ecu, wants):
        self.cycle(ecu, wants_max=wants)

    @rule(ecu=ecus)
    def reboot(self, ecu):
        """The clock stands at the last stored time again, which is no later."""
        before = self.nodes[ecu].now()
        self.nodes[ecu].reboot()
        assert reading.clock(self.nodes[ecu].records)[0] == self.nodes[ecu].now() <= before

    # --- the thief ----------------------------------------------------------------------------

    @rule(number=repositories, roles=thefts)
    def steal(self, number, roles):
        self.oem.steal(number, roles)

    @rule(
        ecu=ecus,
        numbers=st.sampled_from(((DIRECTOR,), (IMAGE,), (DIRECTOR, IMAGE), (DIRECTOR, IMAGE))),
        jump=st.fixed_dictionaries(dict.fromkeys(ONLINE, jumps)),
        release=releases,
    )
    def forge(self, ecu, numbers, jump, release):
        """Whatever he has the keys for, he makes; the rest is as the maker serves it, or is
        signed by nobody.
        """
        bent = {}
        for number in numbers:
            repository = self.oem.repositories[number]
            versions = self.jumped(repository, jump)
            made = self.oem.forged_chain(number, versions, self.bad_release(release), VEHICLE)
            stolen = {known: made[known] for known in made if repository.thief_of(known[1])}
            bent.update(stolen or made)
        self.cycle(ecu, bent)

    def jumped(self, repository, jump):
        known = repository.versions
        return {role: min(max(1, known[role] + jump[role]), VERSION_MAX) for role in jump}

    def bad_release(self, offset):
        return max(1, self.oem.release + offset)

    @rule(
        ecu=ecus, number=repositories, which=st.lists(st.integers(0, 99), min_size=3, max_size=3)
    )
    def replay_a_chain(self, ecu, number, which):
        """Files that were good once, each from any time."""
        bent = {}
        for role, place in zip(ONLINE, which, strict=True):
            bent[number, role] = self.old(number, role, place)
        self.cycle(ecu, bent)

    @rule(ecu=ecus, number=repositories, role=files, place=st.integers(0, 99))
    def replay(self, ecu, number, role, place):
        self.cycle(ecu, {(number, role): self.old(number, role, place)})

    def old(self, number, role, place):
        history = self.oem.repositories[number].history
        versions = sorted(version for known, version in history if known == role)
        return history[role, versions[place % len(versions)]]

    @rule(ecu=ecus, number=repositories, role=files, at=st.integers(0, 999), bit=st.integers(0, 7))
    def mutate(self, ecu, number, role, at, bit):
        raw = bytearray(self.old(number, role, 99 - at % 100))
        raw[at % len(raw)] ^= 1 << bit
        self.cycle(ecu, {(number, role): bytes(raw)})

    @rule(ecu=ecus, number=repositories, role=files, other=files, there=repositories)
    def confuse(self, ecu, number, role, other, there):
        """The file of another role or repository in a role's place."""
        self.cycle(ecu, {(number, role): self.oem.repositories[there].files[other, 0]})

    @rule(ecu=ecus, number=repositories, role=files)
    def withhold(self, ecu, number, role):
        self.cycle(ecu, {(number, role): None})

    @rule(ecu=ecus, jump=st.fixed_dictionaries(dict.fromkeys(ONLINE, jumps)))
    def send_directions_of_another_vehicle(self, ecu, jump):
        """The maker signed them, for a neighbour."""
        director = self.oem.director
        versions = self.jumped(director, jump)
        bent = self.oem.forged_chain(
            DIRECTOR, versions, self.oem.release + 1, "VIN-2", director.keys
        )
        self.cycle(ecu, bent)

    @rule(ecu=ecus, version=st.integers(-1, 3))
    def forge_a_root(self, ecu, version):
        """By every stolen key; never by Root's own."""
        director = self.oem.director
        seeds = sorted(director.stolen) or None
        signed = cbor2.loads(reading.payload(director.files[ROOT, 0]))
        fields = {key: signed[key] for key in signed if key > KEY_EXPIRES}
        number = max(1, director.versions[ROOT] + version)
        raw, _ = director.forge(ROOT, fields, number, seeds)
        self.cycle(ecu, {(DIRECTOR, ROOT): raw})

    @rule(
        ecu=ecus,
        how=st.sampled_from(("old", "foreign", "stranger", "none")),
        seconds=st.sampled_from((0, -DAY, DAY, 40 * DAY)),
    )
    def lie_about_the_time(self, ecu, how, seconds):
        node = self.nodes[ecu]
        nonce = node.ask()
        when = self.oem.now + seconds
        if how == "old" and node.kept:
            node.hear(node.kept[len(node.kept) // 2])
        elif how == "foreign":
            node.hear(self.oem.attest([bytes(8)], when))
        elif how == "stranger":
            node.hear(self.oem.attest([nonce], when, bytes(32)))
        self.refresh(ecu)

    @rule(ecu=ecus, seconds=st.sampled_from((-NOW, -DAY, -1, DAY, 40 * DAY, 9 * 366 * DAY)))
    def attest_by_a_stolen_key(self, ecu, seconds):
        node = self.nodes[ecu]
        stolen = self.oem.director.thief_of(TIME)
        if stolen:
            node.hear(self.oem.attest([node.ask()], self.oem.now + seconds, stolen[0]))
            self.refresh(ecu)

    # --- what holds ---------------------------------------------------------------------------

    @rule()
    def heal(self):
        """V-35, E-16, E-17, V-82, T-31: one honest cycle; two for an ECU whose Root does not know
        the time key yet, which learns it in the first and the time in the second.
        """
        counters = [node.counter for node in self.nodes.values()]
        self.oem.heal(max(self.oem.release, *counters) + 1)
        for ecu in self.nodes:
            node = self.nodes[ecu]
            knew = node.knows_time_key()
            self.cycle(ecu)
            if not knew:
                self.cycle(ecu)
            assert node.counter == self.oem.release
        self.rob()

    @invariant()
    def release_counters_never_fall(self):
        """T-21, R-41."""
        for ecu in self.nodes:
            installed = self.nodes[ecu].release() or 0
            assert installed == self.nodes[ecu].counter >= self.counters[ecu]
            self.counters[ecu] = installed

    def teardown(self):
        self.heal()
        self.release_counters_never_fall()
