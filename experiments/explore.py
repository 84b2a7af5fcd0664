import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Leadership under surveillance")


@app.cell
def _():
    import gc
    import secrets

    import marimo as mo

    import sim
    from sim import explore
    from sim.outcomes import OUTCOMES
    from sim.parameters import MECHANISMS, REGIMES
    from sim.show import explore as pictures

    gc.collect()  # what earlier visitors left behind; Python alone would let a long day of them pile up
    return MECHANISMS, OUTCOMES, REGIMES, explore, mo, pictures, secrets, sim


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # Leadership under surveillance

    360 imaginary senior managers, in 30 hospital trusts, live through ten years. **A** and **B** are two ways of
    overseeing them. Both begin with the same people and have the same luck, so what differs is the oversight.
    Choose two regimes, or **move a slider**, and the ten years are run again.
    """)
    return


@app.cell
def _(explore, mo, pictures):
    # An address such as ...:2718/?seed=7&monitoring=0.9 sets where everything stands at the start.
    start, mistakes = explore.from_address(mo.query_params().to_dict())
    mo.Html(pictures.message(["In the address (the usual value is taken instead):", *mistakes] if mistakes else []))
    return (start,)


@app.cell
def _(REGIMES, mo, pictures, start):
    # A regime is a bundle of levers with a name: sim parameters heavy
    regime_a = mo.ui.dropdown(list(REGIMES), value=start.a.regime, label=pictures.tag("A"))
    regime_b = mo.ui.dropdown(list(REGIMES), value=start.b.regime, label=pictures.tag("B"))
    return regime_a, regime_b


@app.cell
def _(explore, mo, pictures):
    # Five of the levers get a slider. What one of them means: sim parameters discernment
    def sliders(regime, start):
        side = start if start.regime == regime else explore.Side.of(regime)
        return mo.ui.dictionary({name: slider(name, value) for name, value in side.levers.items()})

    def slider(name, value):
        return mo.ui.slider(0, 1, 0.01, value, show_value=True, label=pictures.tag(name))

    return (sliders,)


@app.cell
def _(regime_a, sliders, start):
    levers_a = sliders(regime_a.value, start.a)
    return (levers_a,)


@app.cell
def _(regime_b, sliders, start):
    levers_b = sliders(regime_b.value, start.b)
    return (levers_b,)


@app.cell
def _(mo, secrets, start):
    # Chance is fixed by a seed. The same seed and the same settings give the same ten years, always.
    another = mo.ui.button(value=start.seed, on_click=lambda _: secrets.randbelow(10_000), label="another")
    return (another,)


@app.cell
def _(another, mo, pictures):
    seed = mo.ui.text(value=str(another.value), label=pictures.tag("seed"))
    return (seed,)


@app.cell
def _(MECHANISMS, OUTCOMES, explore, mo, pictures, start):
    outcomes = mo.ui.multiselect(
        list(OUTCOMES), value=explore.OUTCOMES_SHOWN, max_selections=4, label=pictures.tag("shown")
    )
    off = mo.ui.multiselect(list(MECHANISMS), value=start.off, label=pictures.tag("switched off"))
    return off, outcomes


@app.cell
def _(explore, levers_a, levers_b, off, regime_a, regime_b, seed, sim, start):
    # Everything that was chosen, in one place.
    try:
        number, wrong = explore.seed_from(seed.value), []
    except sim.InputError as error:
        number, wrong = start.seed, [*error.lines, f"Shown is seed {start.seed}."]
    chosen = explore.Comparison(
        explore.Side.of(regime_a.value, **levers_a.value),
        explore.Side.of(regime_b.value, **levers_b.value),
        number,
        tuple(off.value),
    )
    return chosen, wrong


@app.cell
def _(another, chosen, levers_a, levers_b, mo, off, outcomes, pictures, regime_a, regime_b, seed, wrong):
    controls = mo.vstack(
        [
            *(regime_a, *levers_a.elements.values()),
            *(regime_b, *levers_b.elements.values()),
            *(mo.hstack([seed, another], justify="start", gap=0.25), off, outcomes),
        ],
        gap=0.25,
    )
    shown = outcomes.value or ["fear"]
    mo.Html(
        pictures.beside((controls.text, 330), (pictures.message(wrong) + pictures.paths(chosen, shown), 660))
        + f"<small>{pictures.note(chosen)}</small>"
    )
    return (shown,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Where the fear is

    Each dot is a trust, each square a group of trusts that work together; the darker, the more its managers fear that
    a slip-up brings punishment. Drag the month, or let it play. This is one run, the first of those above.
    """)
    return


@app.cell
def _(mo):
    get_month, set_month = mo.state(120)
    play = mo.ui.switch(label="play")
    return get_month, play, set_month


@app.cell
def _(get_month, mo, set_month):
    month = mo.ui.slider(1, 120, value=get_month(), on_change=set_month, show_value=True, label="month")
    return (month,)


@app.cell
def _(mo, play, set_month):
    # A clock that nobody sees moves the month on.
    def tick(_):
        set_month(lambda month: month + 2 if month < 119 else 1)

    clock = mo.ui.refresh(default_interval="0.25s", on_change=tick)
    mo.Html(f'<div style="display:none">{clock}</div>') if play.value else None
    return (clock,)


@app.cell
def _(chosen, get_month, mo, month, pictures, play):
    mo.vstack([mo.hstack([play, month], justify="start", wrap=True), mo.Html(pictures.maps(chosen, get_month()))])
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## What carries the result?

    The model is a set of mechanisms: punishment is remembered, paperwork takes time, targets invite gaming, and so
    on. Some were put in because critics of surveillance believe in them, others because its defenders do. Take one
    away: if the difference between A and B goes with it, the result hangs on that mechanism. Choose what to leave out
    at **switched off** above, or try each in turn here, which takes some seconds.
    """)
    return


@app.cell
def _(MECHANISMS, chosen, explore, mo, pictures, shown):
    # What is off now, whose argument it was, and what it changed.
    everything = explore.Comparison(chosen.a, chosen.b, chosen.seed)
    mo.md(
        f"""
    Nothing switched off: **{pictures.finding(everything, shown[0])}**. Without what is switched off:
    **{pictures.finding(chosen, shown[0])}**.
    """
        + "".join(
            f"\n- {name} (the case {MECHANISMS[name].case} the warning against surveillance) is off: "
            f"{MECHANISMS[name].meaning}"
            for name in chosen.off
        )
    ) if chosen.off else None
    return


@app.cell
def _(mo, shown):
    outcome = mo.ui.dropdown(shown, value=shown[0], label="difference in")
    each = mo.ui.run_button(label="switch each off in turn")
    mo.hstack([outcome, each], justify="start", wrap=True)
    return each, outcome


@app.cell
def _(chosen, each, mo, outcome, pictures):
    mo.stop(not each.value)
    mo.Html(pictures.carriers(chosen, outcome.value))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## The same again, and more

    Whoever has the seed and the settings gets the same numbers. In Python, or at the end of an address:
    """)
    return


@app.cell
def _(chosen, explore, mo):
    mo.md(f"""
    ```python
    import sim
    a = {explore.python(chosen, chosen.a)}
    b = {explore.python(chosen, chosen.b)}
    a.series.loc[120, "fear"], b.series.loc[120, "fear"]  # {chosen.sides[0].runs[0].series.loc[120, "fear"]}, \
{chosen.sides[1].runs[0].series.loc[120, "fear"]}
    ```

    [{explore.address(chosen)}]({explore.address(chosen)})
    """)
    return


@app.cell
def _(chosen, explore, mo, pictures, shown):
    mo.hstack(
        [
            mo.download(explore.study(chosen, shown).encode(), filename="my_study.toml", label="settings, as a study"),
            mo.download(
                lambda: pictures.png(chosen, shown),
                filename="my_picture.png",
                mimetype="image/png",
                label="picture, for a slide",
            ),
        ],
        justify="start",
        wrap=True,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    `sim run my_study.toml` does the same runs, and more of them where you change `seeds`.

    ## Now you

    1. Leave A at *heavy*, choose *just culture* for B. The same monitoring, judged fairly: what does fear do?
    2. Under *heavy*, raise `relationship` until trust is back where *light* has it. How high must it be?
    3. Find a pair of regimes of which one has the better quality and the other the better `reported` figure.
    4. For the answer to 1, find the mechanism that carries it.

    This page is a notebook: `marimo edit experiments/explore.py` shows the code of each step, for you to change.
    """)
    return


if __name__ == "__main__":
    app.run()
