"""The two reconciles and what feeds them: cache, triggers, keyed queues, workers, publishing."""
