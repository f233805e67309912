from proxx_worker.feeding.settling import Settling


def test_a_file_settles_when_it_has_looked_the_same_for_so_long() -> None:
    settling = Settling[int]()
    assert settling.settles_at("a", 10, 100.0, 30) == 130.0
    assert settling.settles_at("a", 10, 129.0, 30) == 130.0
    assert settling.settles_at("a", 10, 131.0, 30) == 130.0


def test_every_change_begins_the_wait_anew() -> None:
    settling = Settling[int]()
    settling.settles_at("a", 10, 100.0, 30)
    assert settling.settles_at("a", 11, 129.0, 30) == 159.0
    assert settling.settles_at("a", 10, 158.0, 30) == 188.0


def test_one_that_went_and_came_back_waits_anew() -> None:
    settling = Settling[int]()
    settling.settles_at("a", 10, 100.0, 30)
    settling.settles_at("b", 10, 100.0, 30)
    settling.keep_only({"b"})
    assert settling.settles_at("a", 10, 120.0, 30) == 150.0
    assert settling.settles_at("b", 10, 120.0, 30) == 130.0


def test_no_wait_is_no_wait() -> None:
    assert Settling[int]().settles_at("a", 10, 100.0, 0) == 100.0
