# SPDX-License-Identifier: MIT
"""What went over each session, as JSON lines: {"at", "what", "text"}; and all commands of the world in their order."""
import json
import os


class Transcripts:
    def __init__(self, folder, clock):
        self.folder, self.clock, self.commands, self.count, self.open_ = folder, clock, [], 0, set()
        os.makedirs(folder, exist_ok=True)

    def open(self, device, user, client):
        self.count += 1
        made = Transcript(self, device, user, client, self.count)
        self.open_.add(made)
        return made

    def flush(self):
        for one in self.open_:
            one.file.flush()


class Transcript:
    def __init__(self, owner, device, user, client, number):
        self.owner, self.device, self.user, self.client, self.number = owner, device, user, client, number
        self.path = os.path.join(owner.folder, f"{device}-{number}.jsonl")
        self.file = open(self.path, "w", encoding="utf-8")  # noqa: SIM115  closed in close()
        self.note("login", f"{user} from {client}")

    def note(self, what, text):
        if not self.file.closed:
            self.file.write(json.dumps({"at": round(self.owner.clock.now(), 3), "what": what, "text": text}) + "\n")

    def command(self, session, line):
        self.owner.commands.append({"at": round(self.owner.clock.now(), 3), "device": self.device, "session": self.number,
                                    "user": self.user, "privilege": session.privilege, "command": line})

    def close(self):
        self.note("end", "")
        self.file.close()
        self.owner.open_.discard(self)
