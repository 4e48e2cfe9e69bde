"""Each combination of guided answers gives the framework in the scenario table, and the ADR records the decision."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from scenarios import GUIDED, combinations, frameworks, still_matters
from support import ROOT, answers_of, git, release, render_into


@dataclass
class Outcome:
    """The result of one combination of guided answers."""

    given: dict[str, Any]
    framework: str
    recommendation: str
    fired: list[dict[str, Any]]
    recorded: dict[str, Any]


@pytest.fixture(scope="module")
def outcomes(probe: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    root = tmp_path_factory.mktemp("outcomes")
    found = []
    for number, given in enumerate(combinations()):
        project = render_into(root / str(number), probe, **given)
        recorded = {key: value for key, value in answers_of(project).items() if key in GUIDED}
        computed = json.loads((project / "computed.json").read_text())
        found.append(Outcome(given=given, recorded=recorded, **computed))
    return found


def test_help_and_choices_fit_a_terminal_of_80_columns() -> None:
    texts: list[str] = []
    for path in (ROOT / "questions").glob("*.yml"):
        for question in yaml.safe_load(path.read_text(encoding="utf-8")).values():
            choices = question.get("choices", [])
            texts += [*question.get("help", "").splitlines(), *choices]
    assert [text for text in texts if "{" not in text and len(text) > 76] == []


def test_scenarios_cover_each_combination_once() -> None:
    every = list(combinations())
    assert len(every) == 3 * 3 * 2 * 2 * 3 * 2
    assert [answers for answers in every if len(frameworks(answers)) != 1] == []


def test_each_combination_gives_the_expected_framework(outcomes: list[Outcome]) -> None:
    assert [(o.given, o.framework) for o in outcomes if [o.framework] != frameworks(o.given)] == []


def test_recommendation_comes_from_a_rule_that_fired(outcomes: list[Outcome]) -> None:
    assert [o for o in outcomes if o.recommendation not in [rule["framework"] for rule in o.fired]] == []


def test_question_is_asked_only_if_it_can_change_the_outcome(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        assert set(outcome.recorded) == {key for key in GUIDED if still_matters(key, outcome.given)}, outcome.given
    assert max(len(outcome.recorded) for outcome in outcomes) == 4


def test_answer_to_an_unasked_question_has_no_effect(outcomes: list[Outcome]) -> None:
    reasons: dict[str, set[tuple[str, ...]]] = {}
    for outcome in outcomes:
        reasons.setdefault(str(outcome.recorded), set()).add(tuple(rule["id"] for rule in outcome.fired))
    assert {path: rules for path, rules in reasons.items() if len(rules) > 1} == {}


@pytest.mark.parametrize(
    ("given", "guided"),
    [
        ({}, True),
        ({"framework": "flask"}, False),
        *[({"framework": "flask", key: answers[-1]}, True) for key, answers in GUIDED.items()],
        ({"framework": "flask", "guided": True}, True),
        ({"guided": False}, False),
    ],
)
def test_guided_questions_are_skipped_if_the_framework_is_given(
    given: dict[str, Any], guided: bool, probe: Path, tmp_path: Path
) -> None:
    recorded = answers_of(render_into(tmp_path / "project", probe, **given))
    assert recorded["guided"] is guided
    assert ("shape" in recorded) is guided


def test_record_of_a_recommended_framework_shows_answers_and_rules(probe: Path, tmp_path: Path) -> None:
    project = render_into(tmp_path / "project", probe, shape="integration", workload="light", strategy_settled=True)
    record = (project / "docs/adr/0001-framework.md").read_text()
    assert record.startswith("# 1. Flask as the web framework\n")
    assert "| What are you building? | an integration: a webhook receiver" in record
    assert "| Has the team decided on database access, validation, login and admin? | yes |" in record
    assert "Who will maintain it?" not in record
    assert "- `small-integration`: A small integration service with a narrow scope fits Flask. (" in record
    assert "Recommendation: **Flask**." in record
    assert "We use **Flask**, as recommended." in record
    assert "Accepted risk" not in record


def test_record_of_an_overridden_recommendation_names_the_risk(probe: Path, tmp_path: Path) -> None:
    project = render_into(tmp_path / "project", probe, shape="product", framework="flask")
    record = (project / "docs/adr/0001-framework.md").read_text()
    assert "Recommendation: **Django**." in record
    assert "We use **Flask**, although Django was recommended." in record
    risk = record.partition("### Accepted risk\n")[2].partition("\n## ")[0]
    assert "The reasons for Django still apply" in risk
    assert risk.count("\n- ") == 3


def test_record_of_a_known_framework_gives_no_reasons(probe: Path, tmp_path: Path) -> None:
    record = (render_into(tmp_path / "project", probe, framework="django") / "docs/adr/0001-framework.md").read_text()
    assert "the guided questions were not asked" in record
    assert "We use **Django**.\n" in record
    assert "recommend" not in record
    assert "Rules that fired" not in record


def test_recorded_default_survives_a_changed_default(probe: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    release(template, "0.1.0")
    project = render_into(tmp_path / "project", template)
    before = answers_of(project)
    release(project, "first")

    changed = {
        "default: github": "default: gitlab",
        "default: true": "default: false",
        "default: none": "default: MIT",
        "default: sqlite": "default: postgresql",
        'default: "3.11"': 'default: "3.14"',
        "'fastapi': ['accounts', 'billing'],": "'fastapi': ['accounts', 'orders'],",
    }
    for path in ("questions/4-modules.yml", "questions/5-stack.yml", "questions/7-delivery.yml"):
        text = (template / path).read_text()
        for old, new in changed.items():
            text = text.replace(old, new)
        (template / path).write_text(text)
    release(template, "0.2.0")
    fresh = answers_of(render_into(tmp_path / "fresh", template))
    keys = ("ci", "docs", "python_version", "license", "database", "modules")
    assert [key for key in keys if fresh[key] == before[key]] == []

    copier.run_update(project, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert answers_of(project) == {**before, "_commit": "0.2.0"}
    assert git(project, "status", "--porcelain") == "M  .copier-answers.yml\n"


def test_copier_settings_fill_in_the_author(probe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person = {"user_name": "Ada Lovelace", "user_email": "ada@example.com", "github_user": "ada"}
    (tmp_path / "settings.yml").write_text(json.dumps({"defaults": person}))
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    recorded = answers_of(render_into(tmp_path / "project", probe))
    assert {key: recorded[key] for key in person} == person
