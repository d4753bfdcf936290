"""Any Gymnasium environment, stepped on the host, for the agents of `deep`.

What an agent asks of an environment is in `environment`, how observations become 0/1 features in
`features`, the copies that live side by side in `copies`, and the loop in `online_loop`.
"""

from deep.hosted.copies import Copies, Episode, Stepped
from deep.hosted.environment import HostedEnvironment, TableEnvironment, transition_table
from deep.hosted.features import Encoder, encoder_of
from deep.hosted.online_loop import EvaluationEpisodes, HostedLoop

__all__ = [
    "Copies",
    "Encoder",
    "Episode",
    "EvaluationEpisodes",
    "HostedEnvironment",
    "HostedLoop",
    "Stepped",
    "TableEnvironment",
    "encoder_of",
    "transition_table",
]
