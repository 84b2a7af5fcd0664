"""A lesson of 45 minutes in a notebook: predict, run, explain.

    pip install '.[lesson]'
    marimo run experiments/lesson.py      to teach with; marimo edit ... shows and changes the code

The page for teachers, docs/teachers.md, says how the time is used and what the answers are.
"""

import marimo

app = marimo.App(width="medium", app_title="Does it help to watch managers closely?")


@app.cell(hide_code=True)
def _():
    from pathlib import Path

    import marimo as mo
    from matplotlib.figure import Figure

    import sim
    from sim.claims.statements import LIMITS
    from sim.model import words

    picture = Path(__file__).parent.parent / "docs" / "causal.png"
    SIZE = {"systems": 3, "seeds": 6}  # 15 trusts of 12 managers, with six kinds of luck
    ASKED = ("fear", "initiative_rate", "harm", "quality")
    return ASKED, Figure, LIMITS, SIZE, mo, picture, sim, words


@app.cell(hide_code=True)
def _(ASKED, LIMITS, SIZE, sim, words):
    def outcomes(**policy):
        """The mean of each outcome over the last two years, under a policy; the same people and luck under each."""
        table = sim.sweep(keep=[*ASKED, "trust"], **SIZE, **policy)
        return table[[*ASKED, "trust"]].mean().to_dict()

    def difference(after, before):
        """What changed, in units that people own."""
        return {name: words.change(name, after[name] - before[name]) for name in ASKED}

    def direction(outcome, change):
        """What a change of this size is called: too small to matter counts as "stays"."""
        return "stays" if abs(change) < LIMITS[outcome].size else "rises" if change > 0 else "falls"

    return difference, direction, outcomes


@app.cell(hide_code=True)
def _(mo, picture):
    mo.vstack(
        [
            mo.md(
                """
                # Does it help to watch managers closely?

                In 2019 Don Berwick said that too much surveillance of health managers is toxic: it frightens them, and
                they stop trying new things. Governments say that oversight makes services better and safer. Here is a
                small nation of hospitals in which **both sides' arguments** are built in, and each can be switched off.
                """
            ),
            mo.image(str(picture), alt="Levers, mechanisms and outcomes of the model") if picture.exists() else "",
        ]
    )
    return


@app.cell(hide_code=True)
def _(ASKED, mo, words):
    asked = {
        name: mo.ui.radio(["falls", "stays", "rises"], inline=True, label=words.capital(words.label(name)))
        for name in ASKED
    }
    lines = "\n\n".join(f"{{{name}}}" for name in ASKED)
    guess = mo.md(lines).batch(**asked).form(submit_button_label="This is what I think")
    mo.vstack(
        [
            mo.md(
                "## 1 Predict\n\nManagers are watched closely and judged by targets, **heavy** instead of **light**. "
                "What happens, compared with light? (A change too small to matter counts as *stays*.)"
            ),
            guess,
        ]
    )
    return (guess,)


@app.cell(hide_code=True)
def _(guess):
    guesses = guess.value
    return (guesses,)


@app.cell(hide_code=True)
def _(ASKED, difference, direction, guesses, mo, outcomes, words):
    mo.stop(not guesses or None in guesses.values(), mo.md("*Guess all four, then the simulation runs.*"))
    light, heavy = outcomes(regime="light"), outcomes(regime="heavy")
    told = difference(heavy, light)
    found = {name: direction(name, heavy[name] - light[name]) for name in ASKED}
    right = sum(guesses[name] == found[name] for name in ASKED)
    rows = "\n".join(f"| {words.label(name)} | {guesses[name]} | {found[name]} | {told[name]} |" for name in ASKED)
    mo.md(
        f"## 2 Run\n\nYou were right about {right} of {len(ASKED)}.\n\n"
        f"| | you said | in the model it | by |\n| --- | --- | --- | --- |\n{rows}"
    )
    return heavy, light, right


@app.cell(hide_code=True)
def _(mo, sim, words):
    suspects = {words.clause(name): name for name in sim.MECHANISMS}
    suspect = mo.ui.dropdown(suspects, value=words.clause("learned_fear"), label="Without this:")
    mo.vstack(
        [
            mo.md("## 3 Explain\n\nWhat carries the result? Switch a mechanism off on **both** sides. If the "
                  "difference goes, it hung on that."),
            suspect,
        ]
    )  # fmt: skip
    return (suspect,)


@app.cell(hide_code=True)
def _(ASKED, difference, heavy, light, mo, outcomes, suspect, words):
    off = {"mechanisms_off": [suspect.value]}
    light_without, heavy_without = outcomes(regime="light", **off), outcomes(regime="heavy", **off)
    with_it, without = difference(heavy, light), difference(heavy_without, light_without)
    pairs = "\n".join(f"| {words.label(name)} | {with_it[name]} | {without[name]} |" for name in ASKED)
    mo.md(f"| heavy against light | with it | without it |\n| --- | --- | --- |\n{pairs}")
    return (without,)


@app.cell(hide_code=True)
def _(mo, sim, words):
    names = ("monitoring", "targets", "punitiveness", "discernment", "leniency", "relationship")
    sliders = {
        name: mo.ui.slider(
            0, 1, 0.05, value=sim.PARAMETERS[name].default, show_value=True, debounce=True,
            label=words.capital(words.phrase(name)),
        )
        for name in names
    }  # fmt: skip
    levers = mo.md("\n\n".join(f"{{{name}}}" for name in names)).batch(**sliders)
    mo.vstack(
        [
            mo.md(
                "## 4 Do better\n\nYou are the minister. Find levers under which managers are **less afraid** than "
                "today and patients come to **less harm**."
            ),
            levers,
        ]
    )
    return (levers,)


@app.cell(hide_code=True)
def _(outcomes):
    today = outcomes()
    return (today,)


@app.cell(hide_code=True)
def _(ASKED, Figure, LIMITS, levers, mo, outcomes, today, words):
    mine = outcomes(**levers.value)
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    for row, name in enumerate(reversed(ASKED)):
        before, after = (words.natural(name, found[name]) for found in (today, mine))
        change = after - before
        axes.barh(row, 100 * change / abs(before), color="#0072B2" if change < 0 else "#D55E00")
        axes.text(0, row, f"  {words.change(name, mine[name] - today[name])}", va="center")
    axes.set_yticks(range(len(ASKED)), [words.label(name) for name in reversed(ASKED)])
    axes.set_xlim(-80, 80)
    axes.axvline(0, color="black")
    axes.set_xlabel("change against today, %")
    won = all(mine[name] < today[name] - LIMITS[name].size for name in ("fear", "harm"))
    verdict = "**You did it.** Which lever did most? Could it cost something that is not shown?" if won else "Not yet."
    mo.vstack([figure, mo.md(verdict)])
    return mine, won


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        ## 5 Say it

        1. In one sentence to a friend: what does close watching do **in this model**? Say how much, not only which way.
        2. Which assumption does that hang on? Would you defend it?
        3. What would you have to measure in real hospitals to find out who is right?
        """
    )
    return


if __name__ == "__main__":
    app.run()
