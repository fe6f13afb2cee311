"""Plausible film titles out of word lists, no two alike."""

import numpy as np

ADJECTIVES = (
    "Silent Crimson Broken Golden Hidden Distant Restless Velvet Hollow Burning Frozen Gentle "
    "Savage Lonely Electric Forgotten Midnight Paper Scarlet Wandering Bitter Emerald Fallen "
    "Invisible Northern Ordinary Painted Quiet Reckless Secret Stolen Tender Unlikely Wicked "
    "Winter Amber Borrowed Drifting Endless Faithful"
)
NOUNS = (
    "Harbour Orchard Compass Detective Garden Lantern Mirror Orchestra Passenger River Station "
    "Summer Telegram Tower Voyage Witness Winter Archive Bridge Carnival Daughter Empire Fortune "
    "Gambit Horizon Island Journey Kingdom Letter Machine Neighbour Ocean Promise Quarry Riddle "
    "Shadow Treaty Umbrella Valley Waltz"
)
PATTERNS = (
    "The {adjective} {noun}",
    "{adjective} {noun}",
    "A {adjective} {noun}",
    "{noun} of the {adjective}",
    "Return to the {adjective} {noun}",
    "The Last {adjective} {noun}",
    "My {adjective} {noun}",
)


def titles(count: int, rng: np.random.Generator) -> list[str]:
    """Return `count` different titles, at most 11,200, in random order."""
    adjectives, nouns = ADJECTIVES.split(), NOUNS.split()
    shape = len(PATTERNS), len(adjectives), len(nouns)
    picks = rng.permutation(int(np.prod(shape)))[:count]
    return [
        PATTERNS[pattern].format(adjective=adjectives[adjective], noun=nouns[noun])
        for pattern, adjective, noun in zip(*np.unravel_index(picks, shape), strict=True)
    ]
