# SPDX-License-Identifier: MIT
"""Routers for tests, behind the system's sshd. README.md says what is real about them and what is not."""
