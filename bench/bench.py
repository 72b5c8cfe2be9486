#!/usr/bin/env python3
"""Compares the library with its rivals, and says which goals are met. bench/run builds the programs and calls this.

Each sample is taken by a program of its own, so that no subject runs in the warm caches, the grown heap or the bound
threads of another. The subjects of a comparison take turns in random order; medians are compared. Every rival is
measured a second time as its own control: how far it is from itself says how far any other figure can be trusted. If
that is too far, everything is measured again with twice as many samples, and then no ratio is given.
"""
import argparse
import glob
import json
import os
import platform
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

from comparisons import COMPARISONS, FAR_NS, LINE

HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCE = 0.15  # how far a control may be from its rival
SAMPLES, SAMPLES_QUICK, SAMPLES_MAX, ATTEMPTS = 7, 3, 80, 3


# ---- one sample ---------------------------------------------------------------------------------

def missing(subject, folder):
    """What the subject needs and is not here, or None."""
    program = subject.program
    if program.endswith(".py"):
        module = subject.needs.removeprefix("python3-") or "multiprocessing.synchronize"
        has_module = shutil.which("python3") and subprocess.run(
            ["python3", "-I", "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0
        return None if has_module else subject.needs or "python3 with multiprocessing"
    return None if os.path.exists(os.path.join(folder, program)) else f"{program}: {subject.needs}"


def command(subject, options):
    if subject.program.endswith(".py"):
        words = ["python3", "-I", os.path.join(HERE, subject.program)]
    else:
        words = [os.path.join(options.folder, subject.program)]
    repeats = subject.repeats
    if options.quick and not subject.watch:
        repeats = max(1, repeats // (100 if repeats > 10000 else 10 if repeats > 10 else 1))
    return words + [subject.task, str(repeats)] + [str(number) for number in subject.numbers]


def environment(subject, folder):
    return dict(os.environ, BENCH_NOTHING=os.path.join(folder, "bench_mproc"), **subject.environment)


def usage(pids):
    """CPU time in ns, and context switches, of all threads of the processes."""
    nanoseconds = switches = 0
    for thread in [path for pid in pids for path in glob.glob(f"/proc/{pid}/task/*")]:
        nanoseconds += int(open(thread + "/schedstat").read().split()[0])
        switches += sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", open(thread + "/status").read())))
    return nanoseconds, switches


def watch(words, seconds):
    """What the processes use in a second, of which the program prints the ids: it rests until its input is closed."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        pids = program.stdout.readline().split()
        time.sleep(0.5)
        before = usage(pids)
        time.sleep(seconds)
        after = usage(pids)
        program.stdin.close()
        if not pids or program.wait() != 0:
            raise RuntimeError(f"{words} failed")
    return [(late - early) / seconds for early, late in zip(before, after)]


def sample(subject, options):
    words = command(subject, options)
    if subject.watch:
        return watch(words, 2 if options.quick else subject.repeats)
    done = subprocess.run(words, env=environment(subject, options.folder), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


# ---- one comparison -----------------------------------------------------------------------------

class Series:
    """The samples of one subject, or of a rival's control."""

    def __init__(self, subject, lacks):
        self.subject, self.missing, self.failed, self.samples = subject, lacks, False, []

    def take(self, options):
        if self.missing or self.failed:
            return
        try:
            self.samples.append(sample(self.subject, options))
        except (subprocess.CalledProcessError, RuntimeError, OSError, ValueError) as error:
            print(f"bench: '{self.subject.name}' failed: {error}", file=sys.stderr)
            self.failed = True

    def measured(self):
        return bool(self.samples) and not self.failed

    def values(self, index):
        return [values[index] for values in self.samples]

    def median(self, index=0):
        return statistics.median(self.values(index))


class Outcome:
    def __init__(self, comparison, lacks):
        self.comparison = comparison
        self.subjects = {subject.name: Series(subject, lacks[subject.name]) for subject in comparison.subjects}
        self.controls = {subject.name: Series(subject, lacks[subject.name])
                         for subject in comparison.subjects if subject.rival}
        self.attempts, self.others = 1, 0.0

    def agrees(self, rival):
        control, series = self.controls[rival], self.subjects[rival]
        if not control.measured() or not series.measured():
            return False
        return 1 / (1 + TOLERANCE) <= control.median() / series.median() <= 1 + TOLERANCE

    def quiet(self):
        return all(self.agrees(name) for name, control in self.controls.items() if not control.missing)


def busy_seconds():
    """CPU time that everything on the machine has used."""
    user, nice, system, _, _, hard, soft = map(int, open("/proc/stat").readline().split()[1:8])
    return (user + nice + system + hard + soft) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def attempt(comparison, samples, lacks, options):
    outcome = Outcome(comparison, lacks)
    turns = list(outcome.subjects.values()) + list(outcome.controls.values())
    begin, others = time.monotonic(), busy_seconds() - own_seconds()
    for _ in range(samples):
        random.shuffle(turns)
        for series in turns:
            series.take(options)
    others = busy_seconds() - own_seconds() - others
    outcome.others = max(0, others / (time.monotonic() - begin) / os.cpu_count())
    return outcome


def run(comparison, options):
    """Measures on as many CPUs as the comparison wants, again while a control is off."""
    allowed = os.sched_getaffinity(0)
    lacks = {subject.name: missing(subject, options.folder) for subject in comparison.subjects}
    samples = options.samples
    if len(allowed) < comparison.cpus:
        lacks = {name: f"{comparison.cpus} CPUs" for name in lacks}
    os.sched_setaffinity(0, sorted(allowed)[:comparison.cpus])
    try:
        outcome = attempt(comparison, samples, lacks, options)
        while not outcome.quiet() and outcome.attempts < options.attempts:
            before, samples = outcome.attempts, min(2 * samples, SAMPLES_MAX)
            outcome = attempt(comparison, samples, lacks, options)
            outcome.attempts = before + 1
    finally:
        os.sched_setaffinity(0, allowed)
    return outcome


# ---- goals --------------------------------------------------------------------------------------

def describe(goal, comparison):
    which = f"{goal.value}: " if len(comparison.values) > 1 and goal.rival else ""
    if goal.kind == "time":
        other = f", {goal.rival_value}" if goal.rival_value != goal.value else ""
        return f"{which}{goal.subject} takes at most {goal.bound:.2f} x {goal.rival}{other}"
    if goal.kind == "speed":
        return f"{which}{goal.subject} is at least {goal.bound:.2f} x as fast as {goal.rival}"
    worst = " in every sample" if goal.kind == "worst" else ""
    far = f", {written(goal.value, goal.far)} where a line takes {FAR_NS} ns" if goal.far else ""
    return f"{goal.subject}: {goal.value} is at most {written(goal.value, goal.bound)}{far}{worst}"


def judge(goal, outcome):
    """The figure, as text, and whether the goal is met."""
    index = outcome.comparison.values.index(goal.value)
    subject, rival = outcome.subjects[goal.subject], outcome.subjects.get(goal.rival)
    if not subject.measured() or (rival and not rival.measured()):
        return "-", "not measured"
    if not rival:
        figure = max(subject.values(index)) if goal.kind == "worst" else subject.median(index)
        is_far = goal.far and outcome.subjects[LINE].median() >= FAR_NS
        return written(goal.value, figure), "met" if figure <= (goal.far if is_far else goal.bound) else "MISSED"
    if not outcome.agrees(goal.rival):
        return "-", "noisy"
    figure = subject.median(index) / rival.median(outcome.comparison.values.index(goal.rival_value))
    if goal.kind == "speed":
        figure = 1 / figure
    met = figure >= goal.bound if goal.kind == "speed" else figure <= goal.bound
    return f"{figure:.2f} x", "met" if met else "MISSED"


# ---- the report ---------------------------------------------------------------------------------

def written(value, number):
    """A number of times, or a duration in the unit that fits."""
    if value in ("context switches", "bytes an entry"):
        return f"{number:.3g}"
    for unit in ("ns", "us", "ms"):
        if number < 1000:
            break
        number /= 1000
    else:
        unit = "s"
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}"


def machine():
    name = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    kernel = re.match(r"[\d.]*\d", platform.release())
    version = re.search(r'define MPROC_VERSION "(.*)"', open(os.path.join(HERE, "../include/mproc/version.h")).read())
    compiler = subprocess.run([os.environ.get("CC", "gcc"), "-dumpfullversion"], stdout=subprocess.PIPE, text=True)
    return {"cpu": name.group(1) if name else "unknown CPU", "cpus": os.cpu_count(),
            "kernel": f"{platform.system()} {kernel.group() if kernel else ''} {platform.machine()}",
            "compiler": f"{os.environ.get('CC', 'gcc')} {compiler.stdout.strip()}",
            "mproc": version.group(1) if version else "?", "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def row(series, values):
    if series.missing or not series.measured():
        cells = [f"missing: {series.missing}" if series.missing else "failed", ""] * len(values)
    else:
        cells = [text for index, value in enumerate(values)
                 for text in (written(value, series.median(index)),
                              f"{written(value, min(series.values(index)))} ... "
                              f"{written(value, max(series.values(index)))}")]
    return f"| {series.subject.name} | " + " | ".join(cells) + " |"


def ratios(outcome, rival):
    base = outcome.subjects[rival]
    control = outcome.controls[rival].median() / base.median() if outcome.controls[rival].measured() else 0
    text = f"Time by that of {rival}: control {control:.2f}"
    if not outcome.agrees(rival):
        return text + ": noisy, no ratio is given."
    for name, series in outcome.subjects.items():
        if name != rival and series.measured():
            ratio = series.median() / base.median()
            text += f"; {name} {ratio:.{4 if ratio < 0.1 else 2}f}"
    return text + "."


def report(outcome):
    comparison = outcome.comparison
    print(f"\n### {comparison.name}: {comparison.title}\n")
    print("| subject | " + " | ".join(f"{value} | lowest ... highest" for value in comparison.values) + " |")
    print("|---|" + "---:|---|" * len(comparison.values))
    for series in outcome.subjects.values():
        print(row(series, comparison.values))
    count = max(len(series.samples) for series in outcome.subjects.values())
    attempts = "1 attempt" if outcome.attempts == 1 else f"{outcome.attempts} attempts, for controls that were off"
    print(f"\n{count} samples of each; {attempts}; other programs used {outcome.others:.0%} of the machine meanwhile.")
    for rival in outcome.controls:
        if outcome.subjects[rival].measured():
            print(ratios(outcome, rival))
    sys.stdout.flush()


def report_goals(outcomes):
    print("\n### All goals\n\n| comparison | goal | is | |\n|---|---|---:|---|")
    for outcome in outcomes:
        for goal in outcome.comparison.goals:
            figure, verdict = judge(goal, outcome)
            print(f"| {outcome.comparison.name} | {describe(goal, outcome.comparison)} | {figure} | {verdict} |")


def write_json(path, options, outcomes):
    found = [{"comparison": outcome.comparison.name, "attempts": outcome.attempts, "others": outcome.others,
              "subjects": {name: series.samples for name, series in outcome.subjects.items()},
              "controls": {name: series.samples for name, series in outcome.controls.items()},
              "goals": [[describe(goal, outcome.comparison), *judge(goal, outcome)]
                        for goal in outcome.comparison.goals]} for outcome in outcomes]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"machine": machine(), "seed": options.seed, "quick": options.quick, "outcomes": found}, file, indent=1)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", required=True, help="where the programs are: bench/run says it")
    parser.add_argument("--list", action="store_true", help="name the comparisons")
    parser.add_argument("--filter", default="", help="only those whose name contains this text; ^ and $ have a meaning")
    parser.add_argument("--quick", action="store_true", help="show that everything works, not how fast")
    parser.add_argument("--samples", type=int, choices=range(1, SAMPLES_MAX + 1), metavar="N")
    parser.add_argument("--attempts", type=int, choices=range(1, 101), metavar="N", default=ATTEMPTS)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**31)
    parser.add_argument("--json", metavar="FILE", help="write every sample")
    options = parser.parse_args()
    options.samples = options.samples or (SAMPLES_QUICK if options.quick else SAMPLES)
    return options


def main():
    options = read_options()
    chosen = [each for each in COMPARISONS if re.search(options.filter, each.name)]
    if options.list:
        print("\n".join(f"{each.name:32} {each.title}" for each in chosen))
        return 0
    if not chosen:
        sys.exit(f"bench: no comparison's name contains '{options.filter}'; see --list")
    random.seed(options.seed)
    here = machine()
    print(f"{here['cpu']}, {here['cpus']} CPUs; {here['kernel']}; {here['compiler']}; mproc {here['mproc']}; "
          f"{here['date']}\nSeed {options.seed}, {options.samples} samples of each subject"
          f"{', quick: figures mean little' if options.quick else ''}.")
    outcomes = []
    for comparison in chosen:
        outcomes.append(run(comparison, options))
        report(outcomes[-1])
    report_goals(outcomes)
    if options.json:
        write_json(options.json, options, outcomes)
    failed = [series for outcome in outcomes for series in [*outcome.subjects.values(), *outcome.controls.values()]
              if series.failed]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
