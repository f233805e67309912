"""The API of the stand-in: classes, methods and arity as Blackmagic's typed stub has them, which tests hold against it.

Of them what the engine and an independent client call. Renders are made by FFmpeg; they go on when a client dies.
"""

import json
import os
import threading
import time
from pathlib import Path

import renders

UNTITLED = "Untitled Project"
DEFAULTS = {"timelineFrameRate": "24", "timelineResolutionWidth": "1920", "timelineResolutionHeight": "1080"}


class Database:
    """What outlives a client: configuration, projects with their settings, and the one project that is open."""

    def __init__(self, folder, headless):
        self.folder = Path(folder)
        self.headless = headless
        self.objects = {}
        self.current = Project(self, UNTITLED)
        self.lock = threading.RLock()
        self.lived = time.monotonic()

    def config(self):
        return json.loads((self.folder / "config.json").read_text())

    def fault(self, *names):
        found = self.config().get("server", {})
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def projects(self):
        return json.loads((self.folder / "projects.json").read_text())

    def names(self):
        return list(self.projects())

    def store(self, projects):
        draft = self.folder / "projects.json.new"
        draft.write_text(json.dumps(projects))
        draft.rename(self.folder / "projects.json")

    def keep(self, project):
        """Save a change at once, as Resolve does by default ("Live save")."""
        with self.lock:
            projects = self.projects()
            if project.GetName() in projects:
                self.store({**projects, project.GetName(): project.settings()})

    def volumes(self):
        return self.config()["volumes"]

    def writable(self, target):
        return any(f"{target}/".startswith(f"{place.rstrip('/')}/") for place in self.volumes())


class Resolve:
    def __init__(self, database):
        self._database = database

    def GetProductName(self):
        return self._database.config().get("product", "DaVinci Resolve Studio")

    def GetVersion(self):
        return [21, 1, 1, 4, ""]

    def GetVersionString(self):
        return "21.1.1.4"

    def GetCurrentPage(self):
        return "deliver"

    def OpenPage(self, pageName):
        return True

    def GetProjectManager(self):
        return ProjectManager(self._database)

    def GetMediaStorage(self):
        return MediaStorage(self._database)

    def Quit(self):
        threading.Timer(0.05, os._exit, (0,)).start()


class MediaStorage:
    def __init__(self, database):
        self._database = database

    def GetMountedVolumeList(self):
        return self._database.volumes()


class ProjectManager:
    def __init__(self, database):
        self._database = database

    def GetCurrentDatabase(self):
        return {"DbType": "Disk", "DbName": "Local Database"}

    def GetCurrentProject(self):
        return self._database.current

    def GetProjectListInCurrentFolder(self):
        return self._database.names()

    def GetCurrentFolder(self):
        return ""

    def GotoRootFolder(self):
        return True

    def CreateProject(self, projectName, mediaLocationPath=None):
        with self._database.lock:
            if projectName in self._database.names() or self._database.current.IsRenderingInProgress():
                return None
            self._database.store({**self._database.projects(), projectName: DEFAULTS})
            self._database.current = Project(self._database, projectName)
            return self._database.current

    def LoadProject(self, projectName):
        if projectName not in self._database.names():
            return None
        self._database.current = Project(self._database, projectName)
        return self._database.current

    def SaveProject(self):
        if self._database.current.GetName() == UNTITLED and self._database.headless:
            threading.Event().wait()
        return self._database.current.GetName() != UNTITLED

    def CloseProject(self, project):
        if project is not self._database.current:
            return False
        self._database.current = Project(self._database, UNTITLED)
        return True

    def DeleteProject(self, projectName):
        with self._database.lock:
            if projectName == self._database.current.GetName() or projectName not in self._database.names():
                return False
            self._database.store({name: kept for name, kept in self._database.projects().items() if name != projectName})
            return True

    def SetCurrentDatabase(self, dbInfo):
        return True


class Project:
    def __init__(self, database, name):
        self._database = database
        self._name = name
        self._settings = database.projects().get(name, dict(DEFAULTS))
        self._pool = MediaPool(self)
        self._timelines = []
        self._output = {"format": "mov", "codec": "ProRes422HQ"}
        self._render = {}
        self._mode = 0
        self._jobs = {}
        self._running = None

    def GetName(self):
        return self._name

    def GetUniqueId(self):
        return f"id of {self._name}"

    def GetMediaPool(self):
        return self._pool

    def GetTimelineCount(self):
        return len(self._timelines)

    def GetTimelineByIndex(self, idx):
        return self._timelines[idx - 1] if 0 < idx <= len(self._timelines) else None

    def GetCurrentTimeline(self):
        return self._timelines[-1] if self._timelines else None

    def SetCurrentTimeline(self, timeline):
        return timeline in self._timelines

    def GetSetting(self, settingName):
        if settingName == "":
            return dict(self._settings)
        value = self._settings.get(settingName, "")
        return float(value.removesuffix(" DF")) if settingName == "timelineFrameRate" else value

    def SetSetting(self, settingName, settingValue):
        if not isinstance(settingValue, str) or (settingName == "timelineFrameRate" and self._timelines):
            return False
        self._settings[settingName] = settingValue
        self._database.keep(self)
        return True

    def GetRenderPresetList(self):
        return self._database.config()["presets"]

    def GetPresetList(self):
        return []

    def LoadRenderPreset(self, presetName):
        presets = self._database.config()["presets"]
        if presetName not in [it["RenderPresetName"] if isinstance(it, dict) else it for it in presets]:
            return False
        self._render = {}
        return True

    def GetRenderFormats(self):
        return renders.FORMATS

    def GetRenderCodecs(self, renderFormat):
        return renders.CODECS.get(renderFormat, {})

    def GetRenderResolutions(self, format=None, codec=None):
        return [{"Width": 1920, "Height": 1080}]

    def GetCurrentRenderFormatAndCodec(self):
        return dict(self._output)

    def SetCurrentRenderFormatAndCodec(self, format, codec):
        if codec not in renders.CODECS.get(format, {}).values():
            return False
        self._output = {"format": format, "codec": codec}
        return True

    def GetCurrentRenderMode(self):
        return self._mode

    def SetCurrentRenderMode(self, renderMode):
        self._mode = renderMode
        return True

    def SetRenderSettings(self, settings):
        keys = self._database.fault("keys") or {}
        for key in settings:
            match keys.get(key):
                case "refused":
                    return False
                case "ignored":
                    return True
        self._render.update(settings)
        return None if any(keys.get(key) == "None" for key in settings) else True

    def AddRenderJob(self):
        target = self._render.get("TargetDir", "")
        if not self._timelines or not self._database.writable(target):
            if self._database.headless:
                threading.Event().wait()
            return ""
        identity = f"{len(self._jobs) + 1:08x}-job"
        self._jobs[identity] = renders.Job(self, identity, dict(self._render), dict(self._output), self._timelines[-1])
        return identity

    def DeleteRenderJob(self, jobId):
        return self._jobs.pop(jobId, None) is not None

    def DeleteAllRenderJobs(self):
        self._jobs.clear()
        return True

    def GetRenderJobList(self):
        return [job.entry() | (self._database.fault("entry") or {}) for job in self._jobs.values()]

    def GetRenderJobStatus(self, jobId):
        job = self._jobs.get(jobId)
        return {} if job is None else job.status()

    def StartRendering(self, *args):
        names = args[0] if args and isinstance(args[0], list) else [arg for arg in args if isinstance(arg, str)]
        job = self._jobs.get(names[0]) if names else next(iter(self._jobs.values()), None)
        if job is None or self.IsRenderingInProgress():
            return False
        self._running = job
        job.start()
        return True

    def StopRendering(self):
        if self._running is not None:
            self._running.stop()

    def IsRenderingInProgress(self):
        return self._running is not None and self._running.busy()

    def database(self):
        return self._database

    def settings(self):
        return self._settings

    def add_timeline(self, timeline):
        self._timelines.append(timeline)


class MediaPool:
    def __init__(self, project):
        self._project = project
        self._paths = set()

    def GetRootFolder(self):
        return Folder()

    def GetCurrentFolder(self):
        return Folder()

    def ImportMedia(self, items):
        """One item a file, and nothing for one that is in the pool already: what Resolve does then is not known."""
        found = []
        for path in items:
            media = None if path in self._paths else renders.probe(self._project.database(), path)
            if media is not None:
                self._paths.add(path)
                found.append(MediaPoolItem(self._project, path, media))
        return found * 2 if self._project.database().fault("imports_twice") else found

    def CreateTimelineFromClips(self, name, clip1, *args):
        clips = clip1 if isinstance(clip1, list) else [clip1, *args]
        timeline = Timeline(name, clips[0])
        self._project.add_timeline(timeline)
        return timeline


class Folder:
    def GetName(self):
        return "Master"

    def GetClipList(self):
        return []

    def GetSubFolderList(self):
        return []


class MediaPoolItem:
    def __init__(self, project, path, media):
        self._project = project
        self._path = path
        self._media = media

    def GetName(self):
        return Path(self._path).name

    def GetClipProperty(self, propertyName):
        properties = renders.properties_of(self._path, self._media) | (self._project.database().fault("properties") or {})
        return properties if not propertyName else properties.get(propertyName, "")

    def GetAudioMapping(self):
        return json.dumps({"embedded_audio_channels": self._media["channels"]})

    def path(self):
        return self._path

    def media(self):
        return self._media


class Timeline:
    def __init__(self, name, clip):
        self._name = name
        self._clip = clip
        self._timecode = "01:00:00:00"

    def GetName(self):
        return self._name

    def GetStartTimecode(self):
        return self._timecode

    def SetStartTimecode(self, timecode):
        self._timecode = timecode
        return True

    def clip(self):
        return self._clip
