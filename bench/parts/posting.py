"""Durable POST of one survey: against the rivals, against pgbench, against a store that keeps nothing."""

import contextlib
import statistics

from bench.lib import load, services
from bench.lib.report import fastest, median_run, ratio

CONNECTIONS = (64, 250)
PGBENCH_CLIENTS = (1, 2, 4, 8)
RIVAL_SHARE_MIN = 0.7  # of pgbench's best rate; a slower rival would be no measure


def post(plan, report):
    with contextlib.ExitStack() as stack:
        vinculo = stack.enter_context(services.new_vinculo())
        rivals = services.rivals(stack)
        contestants = [
            vinculo,
            *rivals,
            stack.enter_context(services.rival("batching", max(services.RIVAL_CONNECTIONS), batching=True)),
            stack.enter_context(services.new_vinculo("nodb", services.NODB, vinculo.cluster)),
        ]
        bare_cluster = rivals[0].cluster
        runs, bare = {}, {}
        load.warm_up(contestants, CONNECTIONS[0])
        for number in range(plan.rounds):
            report.note(f"post: round {number + 1} of {plan.rounds}")
            for connections in CONNECTIONS:
                for contestant in contestants:
                    contestant.cluster.checkpoint()
                    run = load.post(contestant, connections, plan.seconds)
                    runs.setdefault((contestant.name, connections), []).append(run)
            for clients in PGBENCH_CLIENTS:
                bare_cluster.checkpoint()
                bare.setdefault(clients, []).append(load.pgbench(bare_cluster, clients, plan.seconds))
    medians = {key: median_run(value) for key, value in runs.items()}
    for (name, connections), run in sorted(medians.items(), key=lambda item: item[0][1]):
        report.row("post", name, connections, run)
    for connections in CONNECTIONS:
        medians["fastify", connections] = fastest(medians[rival.name, connections] for rival in rivals)
    conclude(medians, {clients: statistics.median(rates) for clients, rates in bare.items()}, report)


def conclude(medians, pgbench, report):
    def compare(name, other, connections):
        return ratio(medians["vinculo", connections].rate, medians[other, connections].rate)

    best = max(pgbench, key=pgbench.get)
    share = max(medians["fastify", connections].rate for connections in CONNECTIONS) / pgbench[best]
    report.line("post", f"pgbench {pgbench[best]:.0f} transactions per s with {best} clients; "
                f"fastify reaches {share:.2f} of it"
                + ("" if share >= RIVAL_SHARE_MIN else ": too little, its ratios are void"))
    fair = share >= RIVAL_SHARE_MIN
    report.set(
        post_c250_vs_fastify=compare("vinculo", "fastify", 250) if fair else None,
        post_c64_vs_fastify=compare("vinculo", "fastify", 64) if fair else None,
        post_c250_p99_vs_fastify_p50=ratio(medians["vinculo", 250].p99_ms, medians["fastify", 250].p50_ms),
        post_c250_vs_nodb=compare("vinculo", "nodb", 250),
        post_c250_vs_batching=compare("vinculo", "batching", 250),
        rival_vs_pgbench=share)


STEPS = (64, 120, 128, 136, 248, 256, 264, 512)


def stall(plan, report):
    """The lowest rate in relation to the mean of its neighbours' rates, best of three each."""
    with services.new_vinculo() as vinculo:
        best = {}
        for _ in range(3):
            for connections in STEPS:
                run = load.post(vinculo, connections, plan.stall_seconds)
                if connections not in best or run.rate > best[connections].rate:
                    best[connections] = run
    for connections in STEPS:
        report.row("stall", "vinculo, best of three", connections, best[connections])
    rates = [best[connections].rate for connections in STEPS]
    ratios = []
    for at, rate in enumerate(rates):
        neighbours = rates[max(at - 1, 0):at] + rates[at + 1:at + 2]
        ratios.append(rate / (sum(neighbours) / len(neighbours)))
    report.set(stall_free=min(ratios))
